FROM golang:1.24
WORKDIR /src
COPY go.mod go.sum ./
COPY main.go ./
RUN go mod download
COPY cmd cmd
COPY web web
RUN go build ./...
