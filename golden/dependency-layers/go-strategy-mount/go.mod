module example.test/hello

go 1.24

require example.test/greet v1.0.0
