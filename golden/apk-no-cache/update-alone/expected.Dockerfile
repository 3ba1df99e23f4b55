FROM alpine:3.22
WORKDIR /srv
RUN apk add --no-cache curl
