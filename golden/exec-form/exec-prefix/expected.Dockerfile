FROM debian:13-slim
CMD ["nginx", "-g", "daemon off;"]
