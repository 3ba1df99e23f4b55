FROM golang:1.25
RUN go build \
    -o /usr/local/bin/server . \
    && go clean -cache -modcache
CMD ["/usr/local/bin/server"]
