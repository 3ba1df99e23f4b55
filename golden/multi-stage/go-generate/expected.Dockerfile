FROM golang:1.24 AS builder
WORKDIR /src
COPY . .
RUN go generate ./... && CGO_ENABLED=0 go build -o /usr/local/bin/pills .

FROM scratch
WORKDIR /src
COPY --from=builder /usr/local/bin/pills /usr/local/bin/pills
ENTRYPOINT ["pills"]
