FROM debian:13-slim
ENV CARGO_HOME=/opt/cargo
RUN cargo install ripgrep && rm -rf "$CARGO_HOME/registry" "$CARGO_HOME/git"
CMD ["rg", "--version"]
