FROM debian:13-slim
RUN apt-get update && apt-get install -y \
        ca-certificates \
        curl \
        wget \
    && rm -rf /var/lib/apt/lists/*
