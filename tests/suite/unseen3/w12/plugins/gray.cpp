#include "color.hpp"

#include <cmath>

extern "C" Color transform(Color color) {
    int level = static_cast<int>(std::lround(0.299 * color.red + 0.587 * color.green + 0.114 * color.blue));
    return {level, level, level};
}
