FROM alpine:3.22
RUN apk add --no-cache python3
COPY app.py /app.py
RUN adduser -D -u 10001 -s /sbin/nologin app
USER 10001
CMD exec python3 /app.py --bind 0.0.0.0:8000
