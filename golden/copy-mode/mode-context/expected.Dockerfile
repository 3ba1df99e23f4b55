# syntax=docker/dockerfile:1
FROM busybox:1.37
COPY --chmod=0750 start /start
COPY --chmod=600 notes.txt /srv/deep/notes.txt
