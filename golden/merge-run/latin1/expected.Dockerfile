FROM debian:13-slim
RUN touch /tmp/café \
    && rm -rf /tmp
