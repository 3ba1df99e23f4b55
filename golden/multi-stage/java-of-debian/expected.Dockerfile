FROM debian:12 AS builder
RUN mkdir -p /usr/share/man/man1 && apt-get update && apt-get install -y openjdk-17-jdk-headless
COPY Main.java /app/
WORKDIR /app
RUN javac -d classes Main.java

FROM debian:12
WORKDIR /app
RUN apt-get update && apt-get install -y openjdk-17-jre-headless && rm -rf /var/lib/apt/lists/*
COPY --from=builder /app/classes /app/classes
CMD ["java", "-cp", "classes", "Main"]
