FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
    gettext \
    curl && rm -rf /var/lib/apt/lists/*
COPY docker-entrypoint.sh /
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["curl", "--version"]
