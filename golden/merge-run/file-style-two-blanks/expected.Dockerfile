FROM debian:13-slim
RUN echo x > /keep \
 && echo y >> /keep

RUN echo data > /tmp/a \
 && rm /tmp/a
