FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends curl ca-certificates && curl -sS https://example.org/ -o /dev/null
