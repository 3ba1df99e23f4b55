FROM jenkins/jenkins:lts
USER root
RUN apt-get update && apt-get install -y make
USER 1000
# and nothing else
