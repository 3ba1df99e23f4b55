# syntax=docker/dockerfile:1
FROM debian:13-slim
RUN touch /made.sh
COPY a.sh b.sh /
COPY --chmod=755 c.sh /
# these are scripts
RUN chmod 755 /made.sh \
    # the others
    /a.sh
