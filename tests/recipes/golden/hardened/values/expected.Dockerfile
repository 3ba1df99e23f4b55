FROM python:3.13-slim@sha256:1111111111111111111111111111111111111111111111111111111111111111
WORKDIR /app
# The client for the health check.
RUN apt-get update && apt-get install -y curl && find / -xdev -perm /6000 -type f -exec chmod a-s {} +
COPY . .
EXPOSE 8000
RUN useradd --uid 2000 --user-group --create-home --shell /usr/sbin/nologin web && chown 2000:2000 /app
USER 2000
CMD ["python", "app.py"]
