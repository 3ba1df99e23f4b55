FROM debian:13-slim
RUN apt-get update && apt-get install -y transmission-daemon && mkdir -p /data/in /data/out
ENV TRANSMISSION_HOME=/data/in
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin app && chown 10001:10001 /data/in /data/out
USER 10001
ENTRYPOINT ["transmission-daemon","-f","--download-dir","/data/out"]
