FROM alpine:3.22
RUN set -ex; \
    apk add --no-cache curl; \
    apk del curl
