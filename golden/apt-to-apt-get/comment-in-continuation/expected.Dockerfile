FROM debian:13-slim
RUN apt-get update \
    # the client
    && apt-get \
        install -y curl
