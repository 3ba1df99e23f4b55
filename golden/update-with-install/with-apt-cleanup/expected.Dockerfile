FROM debian:13-slim
WORKDIR /srv
RUN apt-get update && apt-get install -y --no-install-recommends hostname && rm -rf /var/lib/apt/lists/*
