FROM alpine:3.22
RUN apk upgrade --no-cache; rm -rf /var/cache/apk/*
RUN apk add --no-cache zip; rm -rf /var/cache/dnf
CMD ["zip", "-h"]
