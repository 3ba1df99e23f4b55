FROM debian:13-slim
RUN set -ex; apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*

FROM debian:13-slim
RUN set -ex; \
    cd /; \
    apt-get update && apt-get install -y curl;

FROM debian:13-slim
RUN set -ex; apt-get update || true; (apt-get install -y curl && true); rm -rf /var/lib/apt/lists/*

FROM debian:13-slim
RUN <<EOF
set -e
apt-get update && apt-get install -y curl
EOF

FROM debian:13-slim
RUN set -e; apt-get update; if true; then apt-get install -y curl && true; fi
