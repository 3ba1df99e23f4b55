FROM debian:13-slim
RUN (export A=1 && echo $A > /tmp/a) \
    && echo "[$A]" > /b \
    && rm /tmp/a
