FROM python:3.13-slim
RUN <<EOF
set -e
uv sync --no-cache --frozen
EOF
