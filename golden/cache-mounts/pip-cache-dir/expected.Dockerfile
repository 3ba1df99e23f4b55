# syntax=docker/dockerfile:1
FROM python:3.13-slim
ENV PIP_CACHE_DIR=/opt/pip-cache
RUN --mount=type=cache,target=/opt/pip-cache pip install flask
