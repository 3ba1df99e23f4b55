FROM debian:13-slim
RUN cat \
    <<EOF
body

EOF
