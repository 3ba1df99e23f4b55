FROM debian:13-slim
RUN echo one > /one \
    && echo two > /two
