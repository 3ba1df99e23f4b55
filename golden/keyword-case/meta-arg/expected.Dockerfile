ARG V=13-slim
FROM debian:${V}
RUN true
