module example.com/tools/server

go 1.24
