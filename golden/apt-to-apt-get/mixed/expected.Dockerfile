FROM debian:13-slim
RUN apt-get update; apt list --upgradable; apt-get -qq -y install ./x.deb; apt-get autoremove -y --purge
