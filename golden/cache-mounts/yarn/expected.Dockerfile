# syntax=docker/dockerfile:1
FROM node:22-slim
RUN --mount=type=cache,target=/usr/local/share/.cache/yarn,sharing=locked \
    yarn install --frozen-lockfile
