FROM debian:13-slim
RUN echo archive > /tmp/a.tgz && mkdir /srv/app && rm -f /tmp/a.tgz
ENV A=1
COPY b.txt /srv/app/
