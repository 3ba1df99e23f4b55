FROM debian:13-slim
LABEL title="a b"
ENV QUOTED="a b"
ENV A="a b"
ENV B="a b"
ENV C="\$A ${A}x"
ENV D="${A}x y"
ENV E=""
ENV F="say it's so"
