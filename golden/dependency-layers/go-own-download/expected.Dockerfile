FROM golang:1.24
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN go mod download && \
    # then compile
    go build -o /hello .
CMD ["/hello"]
