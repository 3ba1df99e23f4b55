FROM golang:1.24 AS builder
RUN wget -qO/bin/probe https://example.org/probe && chmod +x /bin/probe
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /app .

FROM scratch
WORKDIR /src
COPY --from=builder /bin/probe /bin/probe
COPY --from=builder /app /app
CMD ["/app"]
