FROM debian:13-slim
SHELL ["/bin/bash", "-e", "-c"]
RUN set -e; \
    (touch /tmp/a; false; true); \
    (rm -f /tmp/a)
