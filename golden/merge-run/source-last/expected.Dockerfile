FROM debian:13-slim
RUN touch /tmp/a \
    && (. /etc/os-release && rm /tmp/a)
