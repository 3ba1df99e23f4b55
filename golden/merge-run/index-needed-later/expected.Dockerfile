FROM debian:13
RUN apt-get update && apt-get install -y curl \
    && apt-get install -y jq \
    && rm -rf /var/lib/apt/lists/*
CMD ["jq", "--version"]
