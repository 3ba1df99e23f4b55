FROM registry.access.redhat.com/ubi9/ubi-minimal:9.6
RUN microdnf install -y gzip shadow-utils tar && microdnf clean all
# security fixes, then what the service is made of
RUN microdnf -y update --refresh \
 && microdnf install -y --setopt=install_weak_deps=0 --setopt=tsflags=nodocs \
    # the server
    httpd \
    mod_ssl \
 && microdnf clean all && rm -rf /var/cache/dnf
RUN microdnf module enable -y nodejs:20 && microdnf install -y nodejs && microdnf clean all
COPY site.tar.gz /tmp/
RUN tar -xzf /tmp/site.tar.gz -C /var/www/html && rm /tmp/site.tar.gz \
 && useradd --system --no-create-home web && chown -R web /var/www/html
USER web
CMD ["httpd", "-DFOREGROUND"]
