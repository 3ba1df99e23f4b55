FROM debian:13-slim
RUN touch /tmp/a && ln /etc/hostname /srv/name
RUN rm -f /tmp/a && chmod 600 /srv/name

FROM debian:13-slim
RUN touch /tmp/a && cp -al /etc/apt /srv/apt
RUN rm -f /tmp/a && chmod -R go-r /srv/apt

FROM debian:13-slim
RUN touch /tmp/a && ln -sf /etc/hostname /srv/name && cp -a /etc/apt /srv/apt \
    && rm -f /tmp/a && chmod -R go-r /srv/apt
