FROM unknown/base
ENTRYPOINT ["java", "-jar", "/app.jar"]
