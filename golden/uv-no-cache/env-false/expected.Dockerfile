# a boolean, unlike pip's
FROM python:3.13-slim
ENV UV_NO_CACHE=false
RUN uv sync --no-cache --frozen
CMD ["/app/.venv/bin/serve"]
