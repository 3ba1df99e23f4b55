FROM golang:1.25
RUN go install example.com/server@latest && go clean -cache
ENTRYPOINT ["/docker-entrypoint.sh"]
