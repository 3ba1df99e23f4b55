FROM debian:13-slim
ENV NAME="a \"quoted\" name" DIR=/srv/app
WORKDIR $DIR
COPY data.txt .
RUN head -c 3000000 /dev/zero > /tmp/x && chmod 600 data.txt
RUN rm /tmp/x && useradd -u 1234 app && chown app data.txt
LABEL purpose="a test" cost="5\$"
EXPOSE 8080 9090/udp
VOLUME /var/data
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --retries=2 CMD ["true"]
USER app
CMD cat $DIR/data.txt

FROM scratch
COPY --from=0 / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    NAME="a \"quoted\" name" \
    DIR=/srv/app
LABEL purpose="a test" \
    cost="5\$"
EXPOSE 8080 9090/udp
VOLUME ["/var/data"]
WORKDIR /srv/app
USER app
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s --retries=2 CMD ["true"]
CMD ["/bin/sh", "-c", "cat $DIR/data.txt"]
