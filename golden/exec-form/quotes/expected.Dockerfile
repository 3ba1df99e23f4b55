FROM debian:13-slim
CMD ["python3", "-c", "print(\"a\\n\")", "a b", "", "é"]
