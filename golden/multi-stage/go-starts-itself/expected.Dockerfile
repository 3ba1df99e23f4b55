FROM golang:1.24 AS builder
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /usr/local/bin/workers .

FROM scratch
WORKDIR /src
COPY --from=builder /usr/local/bin/workers /usr/local/bin/workers
CMD ["workers"]
