FROM debian:13-slim
LABEL title="a b"
ENV QUOTED="a b"
ENV A=a\ b
ENV B="a b c"
ENV C="C:dir x"
ENV D="\$HOME \$HOME x"
ENV E="a\\ b"
