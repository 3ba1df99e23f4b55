FROM debian:13-slim AS base
SHELL ["/bin/bash", "-c"]
FROM base
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN curl -fsSL https://example.org/x | tar -xz
