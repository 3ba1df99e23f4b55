FROM debian:13-slim
RUN apt-get update && apt-get install -y curl ca-certificates git
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
    gcc \
    make \
 && rm -rf /var/lib/apt/lists/*
RUN apt-get -qq update; apt-get -qq install -y jq; apt-get clean
RUN apt-get install -y wget
RUN set -eux; apt-get update; apt-get install -y --no-install-recommends unzip; rm -rf /var/lib/apt/lists/*
RUN savedAptMark="$(apt-mark showmanual)" && apt-get update && apt-get install -y build-essential && make -C /usr/src all && apt-mark auto '.*' > /dev/null && apt-get purge -y --auto-remove
RUN curl -fsSL https://example.org/tool.tar.gz | tar -xz -C /usr/local && ln -sf /usr/local/tool/bin/tool /usr/local/bin/tool
RUN curl -fsSL -o /usr/local/bin/helper https://example.org/helper && chmod +x /usr/local/bin/helper
RUN wget -q https://example.org/app-1.2.zip && unzip -q app-1.2.zip -d /opt && rm app-1.2.zip
RUN wget -qO- https://example.org/key.asc | gpg --dearmor -o /usr/share/keyrings/example.gpg
RUN cd /usr/src && git clone --depth 1 https://example.org/lib.git && cd lib && ./configure && make && make install && rm -rf /usr/src/lib
RUN useradd -m -s /bin/bash -u 1500 worker
RUN groupadd -r service && useradd -r -g service -d /var/lib/service service && mkdir -p /var/lib/service && chown -R service:service /var/lib/service
RUN echo 'deb http://deb.example.org/debian trixie-backports main' > /etc/apt/sources.list.d/backports.list
RUN ln -snf /usr/share/zoneinfo/Etc/UTC /etc/localtime && echo Etc/UTC > /etc/timezone
RUN sed -i 's/^# *\(en_US.UTF-8\)/\1/' /etc/locale.gen && locale-gen
RUN umask 027 && mkdir -p /srv/data/in /srv/data/out && touch /srv/data/in/.keep
RUN export VERSION=3 && echo "$VERSION" > /etc/version; echo "[$VERSION]" >> /etc/version
RUN [ -f /etc/version ] || echo none > /etc/version
RUN for d in a b c; do mkdir -p /srv/$d && echo $d > /srv/$d/name; done
RUN if [ "$DEBUG" = 1 ]; then apt-get update && apt-get install -y gdb; else echo no debug; fi
RUN (cd /srv && pwd > where) && cat /srv/where
RUN set +e; false; echo "status $?" > /srv/status
RUN rm -f /bin/sh && ln -s /bin/bash /bin/sh
RUN echo 'export EXTRA=1' >> /etc/profile && . /etc/profile && echo "$EXTRA" > /srv/extra
