package main

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
)

func main() {
	listen := flag.String("listen", ":7001", "address")
	flag.Parse()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		raw, err := os.ReadFile(os.Getenv("CATALOG"))
		if err != nil {
			http.Error(w, "no catalog", 500)
			return
		}
		for _, line := range strings.Split(string(raw), "\n") {
			if key, value, ok := strings.Cut(line, "\t"); ok && "/"+key == r.URL.Path {
				fmt.Fprint(w, value)
				return
			}
		}
		http.NotFound(w, r)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(*listen, nil))
}
