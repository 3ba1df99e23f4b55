FROM debian:13-slim
WORKDIR /tmp
RUN echo one > a
RUN pwd > b
