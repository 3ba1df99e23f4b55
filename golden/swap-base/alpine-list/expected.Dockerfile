FROM alpine:3.22

RUN set -eux; \
	apk upgrade --no-cache; \
	apk add --no-cache \
		ca-certificates \
		gnupg \
		libxslt \
	; \
	mkdir -p /srv/data
CMD ["ls", "/srv/data"]
