FROM golang:1.24 AS build
WORKDIR /src
ENV CGO_ENABLED=0
COPY . .
RUN go build -o /sum
FROM scratch
COPY --from=build /sum /sum
ENTRYPOINT ["/sum"]
