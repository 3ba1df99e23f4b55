FROM debian:13-slim
RUN true
ENV A=1
CMD ["sh"]
