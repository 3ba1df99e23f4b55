FROM debian:13-slim
RUN apt-get update && apt-get -q install -y --no-install-recommends curl
