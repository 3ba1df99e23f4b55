#include <iostream>
#include "table.hpp"

int main(int argc, char **argv) {
    if (argc != 4) {
        std::cerr << "usage: convert-units AMOUNT FROM TO\n";
        return 2;
    }
    try {
        auto table = read_table(TABLE);
        std::cout << std::stod(argv[1]) * table.at(argv[2]) / table.at(argv[3]) << "\n";
    } catch (const std::exception &e) {
        std::cerr << e.what() << "\n";
        return 1;
    }
}
