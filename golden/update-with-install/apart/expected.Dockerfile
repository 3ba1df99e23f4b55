FROM debian:13-slim

COPY packages.txt /srv/

RUN apt-get update && apt-get install -y curl
