FROM debian:13-slim
RUN touch /tmp/a \
    && rm /tmp/a
WORKDIR /srv
RUN touch b \
    && rm b
