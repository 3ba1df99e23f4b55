FROM registry.fedoraproject.org/fedora-minimal:42 AS base
RUN microdnf -y install nginx
RUN source /etc/os-release && echo "$VERSION_ID" > /etc/release-of-base

FROM base
COPY nginx.conf /etc/nginx/nginx.conf
CMD ["nginx", "-g", "daemon off;"]
