FROM golang:1.24
WORKDIR /src
COPY --chown=1000:1000 go.mod go.sum ./
# modules
RUN go mod download -x
COPY --chown=1000:1000 . .
RUN go build -o /hello .
CMD ["/hello"]
