FROM debian:13-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN curl -fsSL https://example.org/x | tar -xz
SHELL ["/bin/sh", "-c"]
RUN ls | head -1
