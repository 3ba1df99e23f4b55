#pragma once

#include <map>
#include <optional>
#include <string>

class Almanac {
public:
    /// Throws std::runtime_error when the file cannot be read.
    explicit Almanac(const std::string &file);
    std::optional<std::string> saying(const std::string &day) const;

private:
    std::map<std::string, std::string> days_;
};
