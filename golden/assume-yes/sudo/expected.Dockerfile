FROM debian:13-slim
RUN sudo apt-get update && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y curl
