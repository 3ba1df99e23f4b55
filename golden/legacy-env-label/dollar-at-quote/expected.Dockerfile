FROM debian:13-slim
LABEL title="a b"
ENV QUOTED="a b"
ENV A="\$B c"
ENV D="a$ b"
