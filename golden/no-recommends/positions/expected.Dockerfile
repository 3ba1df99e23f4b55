FROM debian:13-slim
RUN apt-get install --no-install-recommends git
RUN apt-get -y install --no-install-recommends git
RUN apt-get install -y -q --no-install-recommends git
RUN apt-get install --no-install-recommends git -y
RUN apt-get install -y --no-install-recommends -t bookworm-backports git
RUN apt-get install -y --no-install-recommends -- git
RUN apt install -yqq --no-install-recommends git
RUN aptitude install -y --without-recommends git
RUN apt-get install -y --no-install-recommends $PACKAGES
