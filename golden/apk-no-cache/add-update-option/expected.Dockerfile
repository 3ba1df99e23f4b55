FROM alpine:3.22
RUN apk add --no-cache --update curl && apk -U add --no-cache bash && apk add --no-cache --virtual .build gcc
