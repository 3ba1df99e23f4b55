FROM debian:13
RUN apt-get update && apt-get install -y iputils-ping && find / -xdev -perm /6000 -type f ! -name mount -exec chmod a-s {} +
