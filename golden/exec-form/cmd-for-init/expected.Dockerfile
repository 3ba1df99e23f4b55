FROM debian:13-slim
ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["server", "--port", "80"]
