FROM debian:13-slim
RUN true
RUN true
RUN true
