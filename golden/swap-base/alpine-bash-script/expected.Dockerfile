FROM alpine:3.22
RUN apk add --no-cache bash
COPY run /usr/local/bin/run
CMD ["run"]
