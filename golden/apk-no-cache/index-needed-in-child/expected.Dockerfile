FROM golang:1.8-alpine AS base
FROM base
COPY . /src
RUN apk add --no-cache git
