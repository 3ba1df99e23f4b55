FROM debian:13-slim
RUN apt-get update && apt-get install -y curl
# the tools
RUN apt-get update \
    && apt-get install -y \
        # a comment
        openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    && find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
COPY app /app
RUN mkdir /data
USER nobody
CMD ["/app"]
