FROM debian:13-slim
RUN cp /etc/passwd /srv/big \
    && export A=1 \
    && cat /srv/big && rm /srv/big
# a variable
ENV A=1
FROM debian:13-slim
RUN cp /etc/passwd /srv/big
# a variable
ENV A=1
# use it
RUN cat /srv/big && rm /srv/big
