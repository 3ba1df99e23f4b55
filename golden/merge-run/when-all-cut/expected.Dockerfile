FROM debian:13-slim
RUN echo one > /one
RUN trap true EXIT
RUN echo two > /two \
    && echo three > /three
