FROM debian:13-slim
RUN rm /etc/apt/apt.conf.d/docker-clean && apt-get update && apt-get install -y tree && rm -rf /var/lib/apt/lists/* \
    && apt-get clean
