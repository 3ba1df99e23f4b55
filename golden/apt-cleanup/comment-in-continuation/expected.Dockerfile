FROM debian:13-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
      # certificates
      ca-certificates \
      # time zones
      tzdata \
      && rm -rf /var/lib/apt/lists/*
