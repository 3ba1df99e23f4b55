# escape=`
FROM rust:1.85-slim
RUN cargo install `
    ripgrep `
    && rm -rf "$CARGO_HOME/registry" "$CARGO_HOME/git"
CMD ["rg", "--version"]
