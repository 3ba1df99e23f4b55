# escape=`
FROM golang:1.24
WORKDIR /src
copy go.mod go.sum ./
run go mod download
copy . .
RUN go build `
    -o /hello .
