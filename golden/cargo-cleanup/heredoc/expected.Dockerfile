FROM rust:1.85-slim
RUN <<EOF
set -e
cargo install ripgrep
rm -rf "$CARGO_HOME/registry" "$CARGO_HOME/git"
EOF
CMD ["rg", "--version"]
