FROM alpine:3.22
RUN echo https://example.com/alpine >> /etc/apk/repositories \
    && apk add --no-cache curl
