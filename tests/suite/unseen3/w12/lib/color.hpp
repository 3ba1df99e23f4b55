#pragma once

#include <string>

struct Color {
    int red = 0, green = 0, blue = 0;

    static Color parse(const std::string& text);  // throws std::invalid_argument
    std::string hex() const;
};

// What each plugin exports, as `transform`.
using Transform = Color (*)(Color);
