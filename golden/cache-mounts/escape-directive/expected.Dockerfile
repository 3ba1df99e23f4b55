# syntax=docker/dockerfile:1
# escape=`
FROM debian:13-slim
SHELL ["/bin/sh", "-c"]
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked `
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked `
    apt-get update && apt-get install -o Dir::Cache::archives=kept -y curl
