FROM debian:stable
RUN apt-get update && apt-get install -y --no-install-recommends curl && find / -xdev -perm /6000 -type f ! -name ping ! -name su-exec ! -name sudo -exec chmod a-s {} +
RUN for i in $(find / -type f \( -perm +6000 -o -perm +2000 \)); \
    do chmod ug-s $i; done
CMD ["curl"]
