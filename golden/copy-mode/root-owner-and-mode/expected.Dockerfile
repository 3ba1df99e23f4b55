# syntax=docker/dockerfile:1
FROM debian:13-slim
COPY --chmod=755 app.sh /usr/local/bin/app.sh
CMD ["app.sh"]
