#include "almanac.hpp"

int main(int, char **argv) {
    Almanac almanac(argv[1]);
    return almanac.saying("friday") && !almanac.saying("someday") ? 0 : 1;
}
