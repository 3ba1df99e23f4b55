# syntax=docker/dockerfile:1
FROM node:22-slim
ENV PNPM_HOME=/pnpm
RUN --mount=type=cache,target=/pnpm/store --mount=type=cache,target=/root/.cache/pnpm pnpm install --frozen-lockfile
