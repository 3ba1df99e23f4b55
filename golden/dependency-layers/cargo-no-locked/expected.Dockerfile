FROM rust:1.85
WORKDIR /src
COPY Cargo.toml Cargo.lock rust-toolchain.toml ./
RUN mkdir src && touch src/main.rs src/lib.rs && cargo fetch && rm -r src
COPY . .
RUN cargo install --path .
