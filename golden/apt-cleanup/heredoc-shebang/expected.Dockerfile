FROM debian:13-slim
RUN <<EOF
#!/bin/bash -e
apt-get update
apt-get install -y --no-install-recommends ca-certificates
rm -rf /var/lib/apt/lists/*
EOF
