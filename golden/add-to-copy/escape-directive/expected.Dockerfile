# escape=`
FROM debian:13-slim
COPY a.txt `
    /x/
