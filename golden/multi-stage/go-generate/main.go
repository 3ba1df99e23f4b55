package main

//go:generate go run golang.org/x/tools/cmd/stringer@latest -type=Pill
type Pill int

const (
	Placebo Pill = iota
	Aspirin
)

func main() {
	println(Aspirin.String())
}
