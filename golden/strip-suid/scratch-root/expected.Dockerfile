FROM debian:13 AS root
RUN apt-get update && apt-get install -y sudo
RUN find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
FROM scratch
COPY --from=root / /
CMD ["/bin/sh"]
