#include "tale.hh"
#include <filesystem>
#include <fstream>
#include <sstream>

std::string tale(const std::string &dir, const std::string &name) {
    std::ifstream in(std::filesystem::path(dir) / std::filesystem::path(name).filename());
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}
