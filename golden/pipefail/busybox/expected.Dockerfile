FROM busybox
SHELL ["/bin/ash", "-o", "pipefail", "-c"]
RUN cat /a | sort
