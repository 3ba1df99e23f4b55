package ifneeded sketch 1.0 [list source [file join $dir sketch.tcl]]
