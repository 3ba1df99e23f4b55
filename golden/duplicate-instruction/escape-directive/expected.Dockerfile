# escape=`
FROM debian:13-slim
CMD ["c"]
