FROM debian:13-slim
    # the port
    # the rest
CMD ["b"]
