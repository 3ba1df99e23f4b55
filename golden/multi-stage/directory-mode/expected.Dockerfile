FROM golang:1.24 AS builder
WORKDIR /app
COPY . .
RUN CGO_ENABLED=0 go build -o app . && mkdir /data && chmod 777 /data

FROM debian:trixie-slim
WORKDIR /app
COPY --from=builder /data /data
COPY --from=builder /app/app /app/app
RUN chmod 777 /data
USER 1234
CMD ["./app"]
