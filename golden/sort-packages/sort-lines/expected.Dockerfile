FROM debian:13-slim
RUN apt-get update \
    && apt-get install -y \
        "ca-certificates" \
        Curl \
        wget=1.25.0-2 \
    && rm -rf /var/lib/apt/lists/*
