FROM debian:13-slim
SHELL ["/bin/bash", "-e", "-c"]
RUN touch /tmp/a \
    && rm -f /tmp/a
