#include "tale.hh"

int main() { return tale("/w/tales", "fox").empty(); }
