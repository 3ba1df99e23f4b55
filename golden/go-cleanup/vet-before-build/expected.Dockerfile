FROM golang:1.25
WORKDIR /src
COPY . .
RUN go vet ./... && go clean -cache
RUN go build -o /usr/local/bin/x . && go clean -cache
CMD ["/usr/local/bin/x"]
