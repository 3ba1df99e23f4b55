from debian:13-slim
shell ["/bin/bash", "-o", "pipefail", "-c"]
run curl https://example.org | sh
