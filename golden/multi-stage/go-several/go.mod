module example.com/clocks/v2

go 1.24
