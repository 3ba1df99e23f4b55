FROM debian:13-slim
CMD ["sleep", "3600"]
