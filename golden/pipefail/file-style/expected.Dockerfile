FROM debian:13-slim
VOLUME [ "/a", "/b" ]
  SHELL [ "/bin/bash", "-o", "pipefail", "-c" ]
  RUN curl -fsSL https://example.org/x | tar -xz
