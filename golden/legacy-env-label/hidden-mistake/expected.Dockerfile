FROM debian:13-slim
LABEL title="a b"
ENV QUOTED="a b"
ENV A="1 B 2"
