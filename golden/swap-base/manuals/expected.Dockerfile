FROM debian:12-slim
RUN mkdir -p /usr/share/man/man1
RUN apt-get update && apt-get install -y openjdk-17-jre-headless
CMD ["java", "-version"]
