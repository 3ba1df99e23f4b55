# syntax=docker/dockerfile:1
FROM python:3.13-slim
RUN --mount=type=cache,target=/root/.cache/pip pip install build
ENV HOME=/srv
USER 1000
RUN pip install --user flask
