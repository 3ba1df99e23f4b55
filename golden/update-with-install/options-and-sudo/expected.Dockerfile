FROM debian:13-slim
ENV LANG=C.UTF-8
RUN sudo apt-get -qq update && sudo apt-get install -y curl
