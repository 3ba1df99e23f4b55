# escape=`
FROM debian:13-slim `
    AS base
