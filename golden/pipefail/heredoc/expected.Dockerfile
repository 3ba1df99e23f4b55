FROM debian:13-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN <<EOF
curl https://example.org | sh
EOF
