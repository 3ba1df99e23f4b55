FROM golang:1.25
RUN go build -o /usr/local/bin/server . && go clean -cache
CMD server --port 80
