FROM debian:13-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN curl -fsSL https://example.org/x | tar -xz
CMD server $X
HEALTHCHECK CMD test -f /x
