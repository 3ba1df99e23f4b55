# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install \
      # pinned elsewhere
      flask && \
    python3 -m pip install requests
