FROM alpine:3.22
RUN <<EOF
set -e
# the client
apk add --no-cache curl
EOF
