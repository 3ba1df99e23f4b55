module example.org/catalog

go 1.24
