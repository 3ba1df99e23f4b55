FROM debian:13-slim

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# fetch it
# hadolint ignore=DL3008
RUN curl -fsSL https://example.org/x | tar -xz
