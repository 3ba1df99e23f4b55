FROM alpine:3.22
RUN apk upgrade --no-cache
RUN apk add --no-cache gcc
