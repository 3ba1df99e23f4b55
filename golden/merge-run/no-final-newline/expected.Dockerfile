FROM debian:13-slim
RUN touch /tmp/a \
    && rm -f /tmp/a