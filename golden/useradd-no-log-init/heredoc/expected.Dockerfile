FROM ubuntu:22.04
RUN <<EOF
useradd -l -u 1000650000 app
EOF
