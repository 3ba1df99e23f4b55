FROM alpine:3.22
RUN \
    # the client
    apk add --no-cache curl
