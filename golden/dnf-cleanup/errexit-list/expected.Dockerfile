FROM fedora:42
RUN set -eux; \
	dnf install -y nginx; \
	nginx -v; \
	dnf clean all
