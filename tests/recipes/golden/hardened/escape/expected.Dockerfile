# escape=`
FROM python:3.13-slim@sha256:1111111111111111111111111111111111111111111111111111111111111111
WORKDIR /app
# The client for the health check.
RUN apt-get update && `
    apt-get install -y curl && `
    find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
COPY . .
EXPOSE 8000
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /app
USER 10001
CMD ["python", "app.py"]
