FROM debian:13-slim
WORKDIR /usr/src
RUN make
ENV A=1
COPY a /a
WORKDIR /app
