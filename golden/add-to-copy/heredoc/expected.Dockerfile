FROM debian:13-slim
COPY <<EOF /etc/motd
ADD me
EOF
