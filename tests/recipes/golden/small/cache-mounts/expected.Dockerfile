# syntax=docker/dockerfile:1
FROM debian:13
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update && apt-get install -o Dir::Cache::archives=kept -y gcc python3-pip
RUN --mount=type=cache,target=/root/.cache/pip pip install flask
