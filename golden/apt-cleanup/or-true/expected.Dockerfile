FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates || exit 1 && rm -rf /var/lib/apt/lists/*
