FROM golang:1.25 AS builder
ENV CGO_ENABLED=0
WORKDIR /work
COPY go.mod ./
COPY cmd cmd
COPY gen gen
# two programs; gen/ is for developers
RUN go build -o /usr/local/bin/ ./...

FROM scratch
WORKDIR /work
COPY --from=builder /usr/local/bin/tool /usr/local/bin/watch /usr/local/bin/
ENTRYPOINT ["watch"]
