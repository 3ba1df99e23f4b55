FROM golang:1.24 AS base
ENV APP=/srv/x
WORKDIR /src
EXPOSE 9

# the program
FROM base AS builder
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /usr/local/bin/server .

FROM scratch
ENV APP=/srv/x
WORKDIR /src
COPY --from=builder /usr/local/bin/server /usr/local/bin/server
EXPOSE 9
LABEL a=b
CMD ["server"]
