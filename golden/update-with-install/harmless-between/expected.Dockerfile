FROM debian:13-slim
RUN mkdir -p /srv/data
LABEL a=b
COPY x /srv/
RUN apt-get update && apt-get install -y curl
