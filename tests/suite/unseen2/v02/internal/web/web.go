// Package web shows the stations.
package web

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"harbour.example/tide/internal/harmonic"
)

// Version is set by the linker.
var Version = "unset"

//go:embed assets
var assets embed.FS

var page = template.Must(template.ParseFS(assets, "assets/station.gohtml"))

// Handler serves /station/NAME?at=UNIXTIME, /static/ and /version.
func Handler(stations map[string]harmonic.Station, zone *time.Location) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /station/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		station, known := stations[name]
		if !known {
			http.NotFound(w, r)
			return
		}
		when := time.Now()
		if at, err := strconv.ParseInt(r.FormValue("at"), 10, 64); err == nil {
			when = time.Unix(at, 0)
		}
		page.Execute(w, map[string]any{
			"Name": name, "Height": station.Height(when), "When": when.In(zone).Format("15:04 MST"),
		})
	})
	static, _ := fs.Sub(assets, "assets/static")
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, Version) })
	return mux
}
