FROM golang:1.25
RUN <<EOF
set -e
go build -o /usr/local/bin/server .
go clean -cache -modcache
EOF
CMD ["/usr/local/bin/server"]
