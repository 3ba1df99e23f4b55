FROM python:3.13-slim@sha256:1111111111111111111111111111111111111111111111111111111111111111
WORKDIR /app
# The client for the health check.
RUN apt-get update && apt-get install -y curl
COPY . .
EXPOSE 8000
CMD ["python", "app.py"]
