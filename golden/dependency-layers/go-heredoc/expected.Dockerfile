FROM golang:1.24
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN <<END
go build -o /hello .
END
CMD ["/hello"]
