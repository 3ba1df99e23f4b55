package main

import (
	"fmt"
	"os"
)

func main() {
	data, err := os.ReadFile("greeting.txt")
	if err != nil {
		os.Exit(1)
	}
	fmt.Print(string(data))
}
