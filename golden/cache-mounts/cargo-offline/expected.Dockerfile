# syntax=docker/dockerfile:1
FROM rust:1.85
ENV CARGO_NET_OFFLINE=true
RUN cargo fetch
FROM rust:1.85
ENV CARGO_NET_OFFLINE=false
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/usr/local/cargo/git/db,sharing=locked \
    cargo fetch
