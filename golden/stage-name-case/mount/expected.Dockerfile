FROM debian:13-slim AS tools
FROM debian:13-slim
RUN --mount=type=bind,target=/Tools,from=tools --mount=from=tools,target=/t cp /t/etc/passwd /x
