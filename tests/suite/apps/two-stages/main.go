package main

import (
	"log"
	"net/http"
	"os/user"
)

func main() {
	http.HandleFunc("/whoami", func(w http.ResponseWriter, r *http.Request) {
		me, _ := user.Current()
		w.Write([]byte(me.Username))
	})
	http.Handle("/", http.FileServer(http.Dir("public")))
	log.Fatal(http.ListenAndServe(":8000", nil))
}
