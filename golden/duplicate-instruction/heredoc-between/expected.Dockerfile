FROM debian:13-slim
RUN <<EOF
CMD inside
EOF
CMD ["b"]
