FROM debian:13-slim
RUN (cd /srv && cp /etc/passwd big) \
    && export A=1 \
    && (umask 077; echo $A > /srv/a) \
    && export B=2 \
    && echo $A$B > /srv/b && rm -f /srv/big
ENV A=1
ENV B=2
