# syntax=docker/dockerfile:1
# escape=`
FROM node:22
RUN --mount=type=secret,id=NPM_TOKEN,env=NPM_TOKEN echo `
  $NPM_TOKEN
