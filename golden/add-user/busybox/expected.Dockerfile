FROM busybox
WORKDIR /www
COPY . .
RUN echo 'app:x:10001:10001::/:/bin/false' >> /etc/passwd && echo 'app:x:10001:' >> /etc/group && chown 10001:10001 /www
USER 10001
CMD ["httpd-static", "-p", "8080"]
