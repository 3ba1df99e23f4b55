FROM rust:1.85 AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && touch src/main.rs && cargo fetch --locked && rm -r src
# sources
COPY . .
RUN cargo build --release --locked

FROM debian:13-slim
COPY --from=build /src/target/release/app /usr/local/bin/app
CMD ["app"]
