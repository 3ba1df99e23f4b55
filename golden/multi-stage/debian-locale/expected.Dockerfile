FROM debian:13 AS builder
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev locales
RUN sed -i 's/^# *\(de_DE.UTF-8\)/\1/' /etc/locale.gen && locale-gen
ENV LANG=de_DE.UTF-8
COPY price.c /src/
RUN gcc -O2 -o /usr/local/bin/price /src/price.c

FROM debian:13-slim
ENV LANG=de_DE.UTF-8
COPY --from=builder /usr/lib/locale /usr/lib/locale
COPY --from=builder /usr/local/bin/price /usr/local/bin/price
CMD ["price"]
