FROM debian:13-slim
RUN echo one \
    two \
    three
