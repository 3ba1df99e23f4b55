format() { printf '%s: %.2f\n' "$1" "$2"; }
