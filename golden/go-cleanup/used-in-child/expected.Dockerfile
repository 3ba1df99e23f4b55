FROM golang:1.25 AS base
RUN go build std
CMD ["/bin/true"]
FROM base AS test
RUN go test ./... && go clean -cache
FROM base
COPY x /
