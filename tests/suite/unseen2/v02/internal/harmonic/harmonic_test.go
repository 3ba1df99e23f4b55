package harmonic

import (
	"testing"
	"time"
)

func TestHeight(t *testing.T) {
	s := Station{Mean: 100, Parts: []Part{{Amplitude: 40, Period: 12}}}
	if got := s.Height(time.Unix(0, 0)); got != 140 {
		t.Errorf("high water: %d", got)
	}
	if got := s.Height(time.Unix(6*3600, 0)); got != 60 {
		t.Errorf("low water: %d", got)
	}
}
