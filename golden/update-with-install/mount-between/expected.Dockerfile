# the mount holds archives, not the index
FROM debian:13-slim
RUN --mount=type=cache,target=/var/cache/apt apt-get update && apt-get install -y curl
