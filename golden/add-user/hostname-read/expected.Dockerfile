FROM alpine:3.22
COPY app /usr/local/bin/app
RUN adduser -D -u 10001 -s /sbin/nologin app
USER 10001
CMD app --name "$(hostname)" --host "$(hostname -f)"
