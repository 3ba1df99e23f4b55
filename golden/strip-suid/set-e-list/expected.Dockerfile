FROM debian:13
RUN set -eux; \
    apt-get update; \
    apt-get install -y curl; \
    rm -rf /var/lib/apt/lists/*; \
    find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
