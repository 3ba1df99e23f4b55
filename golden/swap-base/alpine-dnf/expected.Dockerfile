FROM alpine:3.22
RUN apk add --no-cache g++ openssl-dev
RUN adduser -D -u 1000 app
USER app
CMD ["sleep", "60"]
