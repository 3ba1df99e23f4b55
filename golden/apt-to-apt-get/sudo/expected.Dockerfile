FROM debian:13-slim
RUN sudo apt-get update && sudo -E apt-get install -y curl
