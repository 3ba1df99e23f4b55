FROM busybox:1.37
RUN adduser -D app
COPY run.sh /
USER app
CMD ["sh", "/run.sh"]
