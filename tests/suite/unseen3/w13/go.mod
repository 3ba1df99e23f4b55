module github.com/pepe/parcel

go 1.22
