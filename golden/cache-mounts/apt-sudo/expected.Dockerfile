# syntax=docker/dockerfile:1
FROM ubuntu:24.04
USER dev
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    sudo apt-get update && sudo apt-get install -o Dir::Cache::archives=kept -y curl
