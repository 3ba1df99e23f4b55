FROM debian:13
RUN apt-get update && apt-get install -y curl && find /srv -type d -exec chmod g+s {} \; && find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
CMD ["/app"]
