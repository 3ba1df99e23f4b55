FROM alpine:3.22
# Fetch the index
RUN apk update
WORKDIR /srv
RUN apk add --no-cache curl
