FROM debian:13-slim
CMD ["b"]
ENTRYPOINT ["c"]
