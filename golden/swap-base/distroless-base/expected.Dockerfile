FROM golang:1.24 AS build
WORKDIR /src
COPY main.go ./
RUN CGO_ENABLED=0 go build -o /show main.go
FROM gcr.io/distroless/base-debian13
COPY --from=build /show /usr/local/bin/show
USER 1000
ENTRYPOINT ["/usr/local/bin/show"]
