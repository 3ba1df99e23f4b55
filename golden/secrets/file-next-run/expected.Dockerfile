# syntax=docker/dockerfile:1
FROM debian:13
ENV GIT_SSH_COMMAND="ssh -o StrictHostKeyChecking=no"
RUN --mount=type=secret,id=id_rsa,target=/root/.ssh/id_rsa,required=true --mount=type=cache,target=/root/.cache \
    git clone git@git.example.com:team/app.git /app # over ssh
RUN make -C /app
