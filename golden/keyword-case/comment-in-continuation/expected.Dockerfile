FROM debian:13-slim
ENV A=1
RUN true && \
    # run this
    true
