package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"harbour.example/tide/internal/harmonic"
	"harbour.example/tide/internal/web"
)

type config struct {
	Listen   string
	Zone     string
	Stations map[string]harmonic.Station
}

func main() {
	raw, err := os.ReadFile(os.Getenv("TIDE_CONFIG"))
	if err != nil {
		log.Fatal(err)
	}
	var c config
	if err := json.Unmarshal(raw, &c); err != nil {
		log.Fatal(err)
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		log.Fatal(err)
	}
	host, _ := os.Hostname()
	log.Printf("%s: %d stations, on %s", host, len(c.Stations), c.Listen)
	log.Fatal(http.ListenAndServe(c.Listen, web.Handler(c.Stations, zone)))
}
