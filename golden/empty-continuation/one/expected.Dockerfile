FROM debian:13-slim
RUN echo one > /a && \
    echo two > /b
