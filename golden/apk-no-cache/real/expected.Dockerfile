FROM alpine:3.22
RUN echo "http://127.0.0.1:9/none" > /etc/apk/repositories && touch /var/cache/apk/APKINDEX.old
RUN : > /etc/apk/repositories && apk add --no-cache --virtual .needed busybox
