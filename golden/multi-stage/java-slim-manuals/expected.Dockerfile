FROM debian:13-slim AS builder
RUN mkdir -p /usr/share/man/man1 && apt-get update && apt-get install -y --no-install-recommends openjdk-21-jdk-headless && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Main.java .
RUN javac Main.java && jar cfe app.jar Main Main.class

FROM debian:13-slim
WORKDIR /src
RUN mkdir -p /usr/share/man/man1 && apt-get update && apt-get install -y --no-install-recommends openjdk-21-jre-headless && rm -rf /var/lib/apt/lists/*
COPY --from=builder /src /src
CMD ["java", "-jar", "app.jar"]
