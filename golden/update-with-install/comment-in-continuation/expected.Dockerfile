FROM debian:13-slim
WORKDIR /srv
RUN apt-get update && apt-get install -y \
    # the client
    curl
