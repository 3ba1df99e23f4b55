FROM golang:1.24 AS builder
WORKDIR /app
COPY . .
RUN make build

FROM debian:trixie-slim
WORKDIR /app
COPY --from=builder /app/bin/tool /app/bin/tool
ENTRYPOINT ["/app/bin/tool"]
