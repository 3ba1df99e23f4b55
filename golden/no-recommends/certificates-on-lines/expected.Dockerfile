FROM ubuntu:24.04
RUN apt-get update && apt-get install -y --no-install-recommends \
        build-essential \
        wget \
        ca-certificates \
        zip \
    && rm -rf /var/lib/apt/lists/*
