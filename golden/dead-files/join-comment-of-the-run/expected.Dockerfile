FROM debian:13-slim
RUN cp /etc/passwd /srv/big \
    && true \
    && export A=1 \
# use it,
# and throw it away
    && cat /srv/big > /srv/$A \
    # gone
    && rm /srv/big
ENV A=1

CMD ["sh"]
