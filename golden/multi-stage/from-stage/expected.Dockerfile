FROM golang:1.24 AS base
RUN apt-get update && apt-get install -y make
FROM base AS builder
COPY main.go /src/
RUN cd /src && go build -o /server main.go

FROM scratch
COPY --from=builder /server /server
CMD ["/server"]
