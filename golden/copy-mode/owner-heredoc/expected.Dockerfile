FROM debian:13-slim
COPY --chown=1000:1000 a.sh /
RUN <<EOF
ls /
EOF
