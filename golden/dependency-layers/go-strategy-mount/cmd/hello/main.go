package main

import "example.test/greet"

func main() { println(greet.Hello()) }
