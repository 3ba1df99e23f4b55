package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
)

func words(path string) []string {
	file, err := os.Open(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	defer file.Close()
	var all []string
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		all = append(all, strings.Fields(strings.ToLower(scanner.Text()))...)
	}
	return all
}

func main() {
	stop := flag.String("stop", "/etc/wordcount/stopwords.txt", "file of words to leave out")
	flag.Parse()
	skip := map[string]bool{}
	for _, word := range words(*stop) {
		skip[word] = true
	}
	count := map[string]int{}
	for _, word := range flag.Args() {
		if !skip[word] {
			count[word]++
		}
	}
	var keys []string
	for key := range count {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		fmt.Println(key, count[key])
	}
}
