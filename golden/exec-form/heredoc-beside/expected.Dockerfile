FROM debian:13-slim
RUN <<EOF
CMD sleep 5
EOF
CMD ["sleep", "5"]
