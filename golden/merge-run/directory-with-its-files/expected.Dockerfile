FROM debian:13-slim
RUN mkdir -p /srv/site && cp -r /usr/share/common-licenses /srv/site/ \
    && chown -R www-data:www-data /srv/site \
    && chmod -R g+w /srv/site
