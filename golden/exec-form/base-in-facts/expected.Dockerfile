FROM example.org/base
CMD ["server"]
