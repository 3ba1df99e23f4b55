FROM python:3.13-slim
WORKDIR /app
COPY start.sh app.py ./
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /app
USER 10001
ENTRYPOINT ["/app/start.sh"]
CMD ["serve"]
