FROM alpine:3.22
RUN <<EOF
apk add --no-cache jq
EOF
CMD ["jq", "--version"]
