FROM debian:13-slim AS build
RUN apt-get update && apt-get install -y gcc
FROM debian:13-slim
