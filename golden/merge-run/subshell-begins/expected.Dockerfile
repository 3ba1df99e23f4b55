FROM debian:13-slim
RUN touch /tmp/a \
    && ( (cd /tmp; rm a); cd /; touch b)
