FROM registry.example/rust:1
RUN cargo install ripgrep && rm -rf "${CARGO_HOME:-$HOME/.cargo}/registry" "${CARGO_HOME:-$HOME/.cargo}/git"
CMD ["rg", "--version"]
