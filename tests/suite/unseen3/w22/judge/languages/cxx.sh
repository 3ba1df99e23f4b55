build() { cp "$1/source" "$1/source.cc" && g++ -std=c++20 -o "$1/program" "$1/source.cc"; }
