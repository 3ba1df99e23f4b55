package main

import (
	"flag"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/pepe/parcel/pack"
)

var pages = template.Must(template.ParseGlob(filepath.Join("templates", "*.html")))

func show(w http.ResponseWriter, status int, name string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if err := pages.ExecuteTemplate(w, name, data); err != nil {
		log.Print(err)
	}
}

func office(w http.ResponseWriter, r *http.Request) {
	code := strings.ToUpper(strings.TrimPrefix(r.URL.Path, "/office/"))
	found, err := pack.Find("offices.db", code)
	switch {
	case err != nil:
		show(w, http.StatusInternalServerError, "error.html", err)
	case found == nil:
		show(w, http.StatusNotFound, "error.html", "no office "+code)
	default:
		show(w, http.StatusOK, "office.html", found)
	}
}

func weigh(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("text")
	fmt.Fprintf(w, "%d bytes, packed %d, checksum %08x\n", len(text), pack.Size(text), pack.Checksum(text))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9000", "address")
	flag.Parse()
	http.HandleFunc("/office/", office)
	http.HandleFunc("/weigh", weigh)
	http.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir("static"))))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			show(w, http.StatusNotFound, "error.html", "nothing at "+r.URL.Path)
			return
		}
		show(w, http.StatusOK, "index.html", nil)
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
