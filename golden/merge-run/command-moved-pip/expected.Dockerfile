FROM debian:13
RUN apt-get update && apt-get install -y python3-pip wget \
    && (pip install --break-system-packages --upgrade pip) \
    && pip install --break-system-packages flask && wget -O /tmp/x https://example.org/x \
    && apt-get purge -y wget && rm /tmp/x
