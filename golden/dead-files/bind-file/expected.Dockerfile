# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN --mount=type=bind,source=requirements.txt,target=/tmp/requirements.txt,rw \
    pip install --no-cache-dir -r /tmp/requirements.txt
