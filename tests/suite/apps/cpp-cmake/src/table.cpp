#include "table.hpp"
#include <fstream>
#include <stdexcept>

std::map<std::string, double> read_table(const std::string &path) {
    std::ifstream in(path);
    if (!in) throw std::runtime_error("cannot read " + path);
    std::map<std::string, double> table;
    std::string unit;
    double factor;
    while (in >> unit >> factor) table[unit] = factor;
    return table;
}
