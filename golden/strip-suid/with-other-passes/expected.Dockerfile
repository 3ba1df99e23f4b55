FROM python:3.13-slim
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/* && find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
WORKDIR /app
COPY app.py .
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /app
USER 10001
CMD ["python", "app.py"]
