FROM rust:1.85-slim
RUN cargo fetch
COPY . .
RUN cargo build --release --offline && rm -rf "$CARGO_HOME/registry" "$CARGO_HOME/git"
CMD ["rg", "--version"]
