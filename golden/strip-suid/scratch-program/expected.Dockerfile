FROM debian:13 AS root
RUN apt-get update && apt-get install -y mount
RUN find /usr/bin/mount -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
FROM scratch
COPY --from=root /usr/bin/mount /usr/bin/mount
COPY --from=root /usr/bin/env /usr/bin/env
