FROM debian:13-slim
RUN apt-get update && apt-get -y upgrade --with-new-pkgs && apt-get dist-upgrade -y && apt-get dist-upgrade -y
