FROM debian:13-slim
RUN set -e; apt-get update; if true; then apt-get install -y --no-install-recommends ca-certificates; false || true; fi; rm -rf /var/lib/apt/lists/*
