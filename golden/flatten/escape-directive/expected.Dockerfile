# escape=`
FROM debian:13-slim
SHELL ["/bin/sh", "-c"]
ENV A="x `"y`" \z $HOME2"
RUN one

FROM scratch
COPY --from=0 / /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin `
    A="x `"y`" \z "
SHELL ["/bin/sh", "-c"]
CMD ["bash"]
