package entries

import "testing"

func TestLoad(t *testing.T) {
	list, err := Load("../../data/entries.json")
	if err != nil || len(list) != 2 {
		t.Fatalf("%v %v", list, err)
	}
}
