// Package entries reads the guest book.
package entries

import (
	"encoding/json"
	"os"
)

// Entry is one line of the guest book.
type Entry struct {
	Author string `json:"author"`
	Text   string `json:"text"`
}

// Load reads all entries of a file.
func Load(path string) ([]Entry, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []Entry
	return list, json.Unmarshal(raw, &list)
}
