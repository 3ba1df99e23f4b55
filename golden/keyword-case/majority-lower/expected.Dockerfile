from debian:13-slim
run true
env A=1
cmd ["sh"]
