#include "color.hpp"

#include <cstdio>
#include <stdexcept>

Color Color::parse(const std::string& text) {
    Color color;
    char rest;
    if (std::sscanf(text.c_str(), "#%2x%2x%2x%c", reinterpret_cast<unsigned*>(&color.red),
                    reinterpret_cast<unsigned*>(&color.green), reinterpret_cast<unsigned*>(&color.blue), &rest) != 3)
        throw std::invalid_argument("not a color: " + text);
    return color;
}

std::string Color::hex() const {
    char out[8];
    std::snprintf(out, sizeof out, "#%02x%02x%02x", red & 255, green & 255, blue & 255);
    return out;
}
