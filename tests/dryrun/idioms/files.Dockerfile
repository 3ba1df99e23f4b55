FROM debian:13-slim
COPY entrypoint.sh /usr/local/bin/entrypoint.sh
RUN chmod +x /usr/local/bin/entrypoint.sh
COPY config.yml app.conf /etc/app/
RUN chown -R www-data:www-data /etc/app && chmod 640 /etc/app/app.conf
COPY src/ /app/src/
RUN chown -R 1000:1000 /app
COPY setup.sh /tmp/setup.sh
RUN sh /tmp/setup.sh && rm /tmp/setup.sh
ADD data.tar.gz /srv/
ADD https://example.org/file.bin /srv/file.bin
RUN chmod 600 /srv/file.bin
COPY package.json package-lock.json ./
COPY requirements.txt /tmp/
RUN rm -rf /tmp/requirements.txt
COPY --chown=1000:1000 static /var/www/static
WORKDIR /srv/work
WORKDIR sub
RUN pwd > /srv/here; touch relative
ENV HOME=/root LANG=C.UTF-8
ENV APP_HOME /srv/app
ARG DEBUG=0
LABEL maintainer="one@example.org"
EXPOSE 8080
VOLUME /srv/volume
USER www-data
USER root
USER 1000:1000
USER 0
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
SHELL ["/bin/sh", "-c"]
ONBUILD RUN echo later
STOPSIGNAL SIGTERM
HEALTHCHECK CMD test -e /srv
CMD ["sh", "-c", "true"]
CMD exec entrypoint.sh
ENTRYPOINT ["/usr/local/bin/entrypoint.sh"]
RUN --mount=type=cache,target=/var/cache/build echo built > /var/cache/build/x && cp /var/cache/build/x /srv/x
RUN --mount=type=bind,source=scripts,target=/scripts ls /scripts > /srv/scripts
RUN ["/bin/echo", "exec form"]
RUN mkdir -p /srv/links && ln -s /srv/links /srv/alias && echo via > /srv/alias/file
RUN mv /srv/alias/file /srv/links/moved; rm -f /srv/alias
RUN echo first > /srv/file && chmod 4755 /srv/file
RUN rm -f /srv/file
RUN echo second > /srv/file; chown 33:33 /srv/file
RUN cp -a /etc/hosts /srv/hosts && chmod 600 /srv/hosts
RUN touch -d 2020-01-01 /srv/old
RUN find /srv -type f -exec chmod g+r {} +
RUN chmod -R a+rX /srv
RUN tee /etc/motd < /etc/hosts > /dev/null
RUN printf '%s\n' one two > /srv/list && while read -r x; do mkdir -p /srv/$x; done < /srv/list
RUN trap 'echo trapped > /srv/trapped' EXIT; true
RUN f() { echo "$1" > /srv/function; }; f called
RUN alias ll='ls -l'; echo aliased > /srv/aliased
RUN sleep 0 & wait; echo waited > /srv/waited
RUN exec sh -c 'echo replaced > /srv/replaced'
RUN hash -r; type ls > /dev/null
RUN test -e /srv/nothing && exit 3; echo went on > /srv/on
