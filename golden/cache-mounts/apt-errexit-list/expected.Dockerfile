# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
	--mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
	set -eux; \
	apt-get update; \
	apt-get install -o Dir::Cache::archives=kept -y --no-install-recommends curl
