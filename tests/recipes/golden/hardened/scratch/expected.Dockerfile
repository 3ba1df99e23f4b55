# syntax=docker/dockerfile:1
FROM golang:1.25 AS build
COPY . .
RUN CGO_ENABLED=0 go build -o /server .
FROM scratch
COPY --from=build /server /server
EXPOSE 8080
COPY <<EOF /etc/passwd
app:x:10001:10001::/:/sbin/nologin
EOF
USER 10001
ENTRYPOINT ["/server"]
