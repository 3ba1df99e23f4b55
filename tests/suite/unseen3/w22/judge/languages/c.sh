build() { cp "$1/source" "$1/source.c" && gcc -std=c17 -O1 -o "$1/program" "$1/source.c" -lm; }
