FROM python:3.13-slim
COPY . /app
WORKDIR /app
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && mkdir -p /app /data && chown 10001:10001 /app /data
VOLUME /data
USER 10001
CMD ["python", "app.py"]
