FROM rust:1.85
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && touch src/main.rs && cargo fetch && rm -r src
COPY src src
RUN cargo build
