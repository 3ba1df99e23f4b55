FROM debian:13-slim
RUN cp -r /etc/skel /srv/home \
    && chown -R 1000:1000 /srv/home
