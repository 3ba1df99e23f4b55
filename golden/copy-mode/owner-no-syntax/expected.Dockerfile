FROM debian:13-slim
COPY --chown=1000:0 a.sh /
