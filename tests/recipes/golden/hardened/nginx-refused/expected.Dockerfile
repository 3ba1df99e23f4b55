FROM nginx:1.29
RUN find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
COPY site /usr/share/nginx/html
EXPOSE 80
