FROM debian:13-slim
COPY app.py config.yml /app/
COPY --chown=1000:1000 --chmod=755 run.sh /app/
