#!/usr/bin/env tclsh
# sketchd: draws graphs, labels and the history of its sketches
lappend auto_path /usr/lib/tcltk/sketch
package require sketch
package require json::write

proc route {path} {
    if {[regexp {^/graph/([\w.-]+)\.(svg|png|plain)$} $path -> name kind]} {
        return [list 200 [sketch::draw $name.dot $kind]]
    }
    if {[regexp {^/label/(\w+)\.(png|txt)$} $path -> text kind]} {
        return [list 200 [sketch::label $text $kind]]
    }
    if {[regexp {^/sum/([\d+*.-]+)$} $path -> terms]} {
        return [list 200 [exec bc -l << "$terms\n"]\n]
    }
    switch -- $path {
        / { return [list 200 [json::write array {*}[lmap file [lsort [glob *.dot]] {json::write string $file}]]\n] }
        /history { return [list 200 [exec git log --format=%an:%s]\n] }
        /add { return [list 200 [sketch::add new.dot "graph { x -- y }"]\n] }
    }
    return [list 404 "no sketch at $path\n"]
}

proc serve {channel host port} {
    fconfigure $channel -translation {auto crlf} -blocking 1
    gets $channel line
    while {[gets $channel header] > 0} {}
    if {[catch {route [lindex [split $line] 1]} answer]} {
        set answer [list 500 "[lindex [split $answer \n] 0]\n"]
    }
    lassign $answer status body
    puts $channel "HTTP/1.0 $status -\nConnection: close\n"
    fconfigure $channel -translation binary
    puts -nonewline $channel $body
    close $channel
}

socket -server serve [lindex $argv 0]
vwait forever
