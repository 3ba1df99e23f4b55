FROM python:3.13-slim
RUN uv pip install --no-cache --system flask \
    && uv sync --no-cache --frozen \
    && uv add --no-cache requests \
    && uv tool install --no-cache ruff \
    && uv python install --no-cache 3.13
