FROM alpine:3.22
RUN addgroup -S svc && adduser -S -D -H -G svc svc
WORKDIR /data
RUN chown svc /data
USER svc
CMD ["/app"]
