FROM debian:13-slim
COPY --chown=1000:1001 src /app
