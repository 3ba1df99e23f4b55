FROM debian:13-slim
RUN cp /etc/passwd /srv/big \
    && export TOOL=/opt/tool NAME="a b" \
    && export PATH="$TOOL/bin:$PATH" \
    && (echo "$PATH $NAME" > /srv/path; rm /srv/big)
LABEL a=b
ENV TOOL=/opt/tool NAME="a b"
ENV PATH=$TOOL/bin:$PATH
EXPOSE 80
CMD ["sh"]
