FROM alpine:3.22

RUN set -eux; \
	apk add --no-cache curl; \
	[ -e /srv/data ] && touch /srv/data/here; \
	rm -rf /var/cache/apk/*
CMD ["ls", "/srv"]
