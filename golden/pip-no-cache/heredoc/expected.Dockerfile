FROM python:3.13-slim
RUN <<EOF
set -e
pip install --no-cache-dir flask
pip install --no-cache-dir requests
EOF
