FROM debian:13-slim
RUN cargo install ripgrep && rm -rf ~/.cargo/registry ~/.cargo/git
CMD ["rg", "--version"]
