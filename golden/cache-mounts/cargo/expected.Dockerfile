# syntax=docker/dockerfile:1
FROM rust:1.85 AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/usr/local/cargo/git/db,sharing=locked \
    cargo build --release
FROM debian:13-slim
COPY --from=build /src/target/release/app /app
