# escape=`
FROM debian:13-slim
ENV Q="1 2"
ENV P=C:\a;C:\b
ENV R="C:\a b `
    c"
ENV S="a b c"
