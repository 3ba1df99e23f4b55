FROM golang:1.24 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# all of it
COPY . .
RUN CGO_ENABLED=0 go build -o /out/hello ./cmd/hello

FROM scratch
COPY --from=build /out/hello /hello
ENTRYPOINT ["/hello"]
