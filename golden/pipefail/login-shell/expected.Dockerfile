FROM debian:13-slim
SHELL ["bash", "-o", "pipefail", "-lc"]
RUN curl -fsSL https://example.org/x | tar -xz
