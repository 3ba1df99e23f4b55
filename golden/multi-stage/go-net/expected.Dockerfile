FROM golang:1.24-bookworm AS builder
RUN mkdir -p /app/uploads
COPY . /app
WORKDIR /app
RUN go build -o main .

FROM debian:bookworm-slim AS app
WORKDIR /app
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
COPY --from=builder /app/static /app/static
COPY --from=builder /app/uploads /app/uploads
COPY --from=builder /app/main /app/main
EXPOSE 8080
HEALTHCHECK CMD curl -f http://localhost:8080/ || exit 1
CMD ./main
