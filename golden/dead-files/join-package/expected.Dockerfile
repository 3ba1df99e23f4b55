FROM debian:13-slim
RUN apt-get update && apt-get install -y gcc \
    && export CC=gcc \
    && $CC --version > /srv/version \
    && apt-get purge -y gcc
ENV CC=gcc
