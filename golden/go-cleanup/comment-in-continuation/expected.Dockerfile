FROM golang:1.25
RUN go build \
    # the server
    -o /usr/local/bin/server . \
    && go clean -cache -modcache
CMD ["/usr/local/bin/server"]
