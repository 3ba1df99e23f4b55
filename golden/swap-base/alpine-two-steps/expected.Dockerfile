FROM alpine:3.22
# first
# then
RUN apk add --no-cache jq curl && curl -o /data.json https://example.com/data.json
CMD ["jq", ".", "/data.json"]
