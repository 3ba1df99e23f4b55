#include "almanac.hpp"

#include <fmt/core.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

Almanac::Almanac(const std::string &file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error(fmt::format("cannot read {}", file));
    days_ = nlohmann::json::parse(in).get<std::map<std::string, std::string>>();
}

std::optional<std::string> Almanac::saying(const std::string &day) const {
    auto found = days_.find(day);
    if (found == days_.end()) return std::nullopt;
    return fmt::format("{:>6}: {}\n", day, found->second);
}
