FROM debian:13-slim
# what runs

# what really runs
CMD ["b"]
