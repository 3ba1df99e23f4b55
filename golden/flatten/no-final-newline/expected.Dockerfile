FROM debian:13-slim
RUN one
RUN two

FROM scratch
COPY --from=0 / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["bash"]