module pills

go 1.24
