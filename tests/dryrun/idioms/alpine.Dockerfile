FROM alpine:3.22
RUN apk add --no-cache curl bash
RUN apk update && apk add git openssh && rm -rf /var/cache/apk/*
RUN apk add --update python3 py3-pip
RUN apk add --no-cache --virtual .build-deps gcc musl-dev && make -C /usr/src all && apk del .build-deps
RUN apk --no-cache add tini su-exec && addgroup -S app && adduser -S -G app app
RUN adduser -D -u 1200 worker && mkdir -p /data && chown worker:worker /data
RUN wget -q -O /usr/local/bin/tool https://example.org/tool && chmod 755 /usr/local/bin/tool
RUN wget https://example.org/x.tar.gz && tar xzf x.tar.gz && rm x.tar.gz
RUN cd /opt && wget -qO- https://example.org/y.tgz | tar xz
RUN set -x && echo "export A=1" > /etc/profile.d/a.sh && chmod 644 /etc/profile.d/a.sh
RUN mkdir -p /run/app /var/log/app && ln -sf /dev/stdout /var/log/app/access.log
RUN umask 077; echo secret > /etc/secret
RUN test -x /usr/local/bin/tool || echo missing > /srv/missing
RUN pip3 install --break-system-packages flask gunicorn
