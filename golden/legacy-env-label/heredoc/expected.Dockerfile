FROM debian:13-slim
RUN <<EOF
ENV A 1
EOF
ENV A=1
