FROM python:3.13-slim
RUN uv pip install --no-cache \
    # the web
    --system flask
