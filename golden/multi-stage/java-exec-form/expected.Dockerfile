FROM eclipse-temurin:21-jdk AS builder
COPY src/ /build/src/
WORKDIR /build
RUN ["javac", "-d", "out", "src/Main.java"]
RUN ["jar", "--create", "--file", "/opt/hello.jar", "--main-class", "Main", "-C", "out", "."]
# named differently than in the context
COPY hello.sh /usr/local/bin/hello
RUN ["chmod", "0755", "/usr/local/bin/hello"]

FROM eclipse-temurin:21-jre
WORKDIR /build
COPY --from=builder /build/out /build/out
COPY --from=builder /opt/hello.jar /opt/hello.jar
COPY --from=builder /usr/local/bin/hello /usr/local/bin/hello
ENTRYPOINT ["hello"]
