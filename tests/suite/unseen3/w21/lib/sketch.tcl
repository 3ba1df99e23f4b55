package provide sketch 1.0

namespace eval sketch {
    variable themes /etc/sketch/themes

    # a program's output, byte for byte
    proc capture {command} {
        set pipe [open |$command rb]
        set out [read $pipe]
        close $pipe
        return $out
    }

    proc theme {name} {
        variable themes
        set file [open $themes/$name.args]
        set words [split [string trim [read $file]] \n]
        close $file
        return $words
    }

    proc draw {file kind} {
        if {![file exists $file]} {
            error "no sketch $file"
        }
        return [capture [list dot -T$kind {*}[theme graph] $file]]
    }

    proc label {text kind} {
        set image [list convert {*}[theme label] label:$text]
        if {$kind eq "txt"} {
            return [capture [list {*}$image -threshold 50% -format "%w x %h, %k colors\n" info:-]]
        }
        return [capture [list {*}$image png:-]]
    }

    proc add {name text} {
        set file [open $name w]
        puts $file $text
        close $file
        exec git add $name
        exec git commit -q -m "adds $name"
        return [exec git rev-list --count HEAD]
    }
}
