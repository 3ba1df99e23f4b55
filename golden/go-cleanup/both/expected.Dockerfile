FROM golang:1.25
COPY . /src
WORKDIR /src
RUN go build -o /usr/local/bin/server . && go clean -cache -modcache
CMD ["/usr/local/bin/server"]
