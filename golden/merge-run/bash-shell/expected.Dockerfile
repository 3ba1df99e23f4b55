FROM debian:13-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN touch /tmp/a |& tee /tmp/b \
    && rm -f /tmp/a /tmp/b
