FROM debian:13-slim AS base
RUN touch /a
FROM base AS final
RUN touch /b
