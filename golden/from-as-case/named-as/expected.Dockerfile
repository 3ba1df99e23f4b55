FROM debian:13-slim AS as
FROM as AS b
