FROM debian:13-slim
COPY app.sh /usr/local/bin/app.sh
CMD ["app.sh"]
