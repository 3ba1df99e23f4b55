# syntax=docker/dockerfile:1
FROM scratch
COPY <<EOF /etc/app.conf
key=value
EOF
COPY app /app
COPY <<EOF /etc/passwd
app:x:10001:10001::/:/sbin/nologin
EOF
USER 10001
ENTRYPOINT ["/app"]
