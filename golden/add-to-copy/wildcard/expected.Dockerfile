FROM debian:13-slim
COPY *.py /app/
COPY conf/* /etc/app/
