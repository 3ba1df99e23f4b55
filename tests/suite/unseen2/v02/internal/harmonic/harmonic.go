// Package harmonic sums the constituents of a tide.
package harmonic

import (
	"math"
	"time"
)

// Station is a place with its mean level, in cm, and its constituents.
type Station struct {
	Mean  float64
	Parts []Part
}

// Part is one constituent: amplitude in cm, period in hours, phase in degrees.
type Part struct{ Amplitude, Period, Phase float64 }

// Height is the level at t, in whole centimetres.
func (s Station) Height(t time.Time) int {
	hours := float64(t.Unix()) / 3600
	level := s.Mean
	for _, p := range s.Parts {
		level += p.Amplitude * math.Cos(2*math.Pi*hours/p.Period-p.Phase*math.Pi/180)
	}
	return int(math.Round(level))
}
