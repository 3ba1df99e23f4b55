package main

import (
	"html/template"
	"log"
	"net/http"
	"os"

	"example.com/guestbook/internal/entries"
)

func main() {
	page := template.Must(template.ParseGlob("templates/*.html"))
	store, err := entries.Load("data/entries.json")
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir("static"))))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if err := page.ExecuteTemplate(w, "index.html", store); err != nil {
			http.Error(w, err.Error(), 500)
		}
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "8000"
	}
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
