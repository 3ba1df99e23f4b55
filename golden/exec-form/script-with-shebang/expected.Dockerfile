FROM debian:13-slim
COPY run.sh /run.sh
CMD ["/run.sh", "--now"]
