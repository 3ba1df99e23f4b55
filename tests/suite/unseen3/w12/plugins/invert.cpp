#include "color.hpp"

extern "C" Color transform(Color color) {
    return {255 - color.red, 255 - color.green, 255 - color.blue};
}
