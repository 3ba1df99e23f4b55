# the tools
FROM golang:1.24 AS builder
WORKDIR /src
COPY . .
ENV CGO_ENABLED=0
RUN go build -o /server

FROM scratch
WORKDIR /src
COPY --from=builder /server /server
COPY --from=builder /src/greeting.txt /src/greeting.txt

# one that may read, and nothing else
USER 1000
CMD ["/server"]
