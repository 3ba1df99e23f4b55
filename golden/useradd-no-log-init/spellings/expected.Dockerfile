FROM ubuntu:22.04
RUN useradd -l -u 1000650000 a
RUN useradd -l --uid 1000650001 b
RUN useradd -l --uid=1000650002 c
RUN useradd -l -m -u1000650003 d
RUN useradd -l -mu 1000650004 e
RUN sudo /usr/sbin/useradd -l -m -s /bin/sh --uid 1000650005 f
