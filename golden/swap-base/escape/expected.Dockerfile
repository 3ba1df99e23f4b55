# escape=`
FROM debian:13-slim
RUN apt-get update `
  && apt-get install -y jq
CMD ["jq"]
