# escape=`
FROM debian:13-slim
CMD ["sleep", `
    "5"]
