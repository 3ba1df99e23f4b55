FROM python:3.13-slim
RUN uv sync --no-cache \
    --frozen
