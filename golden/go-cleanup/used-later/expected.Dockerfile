FROM golang:1.25
RUN go build std
COPY . .
RUN go build -o /server . && go clean -cache
CMD ["/usr/local/bin/server"]
