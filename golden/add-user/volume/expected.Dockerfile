FROM python:3.13-slim
ENV PORT=8080
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && mkdir -p /app /data /var/lib/app && chown 10001:10001 /app /data /var/lib/app
VOLUME ["/data", "/var/lib/app"]
WORKDIR /app
COPY . .
USER 10001
CMD python app.py --port $PORT
