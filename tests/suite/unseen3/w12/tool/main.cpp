#include <dlfcn.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>

#include "color.hpp"

static Transform load(const std::string& name) {
    const std::string file = std::string(PLUGINS) + "/" + name + ".so";
    void* handle = dlopen(file.c_str(), RTLD_NOW);
    if (!handle) throw std::runtime_error(dlerror());
    return reinterpret_cast<Transform>(dlsym(handle, "transform"));
}

static int help() {
    std::set<std::string> names;
    for (const auto& each : std::filesystem::directory_iterator(PLUGINS)) names.insert(each.path().stem());
    std::cout << "usage: barvy PLUGIN COLOR... | barvy PLUGIN @PALETTE\nplugins:";
    for (const auto& name : names) std::cout << " " << name;
    std::cout << "\n";
    return 0;
}

int main(int argc, char** argv) {
    try {
        if (argc < 3) return help();
        const Transform transform = load(argv[1]);
        for (int at = 2; at < argc; at++) {
            const std::string word = argv[at];
            if (word[0] != '@') {
                std::cout << transform(Color::parse(word)).hex() << "\n";
                continue;
            }
            std::ifstream palette(std::string(PALETTES) + "/" + word.substr(1) + ".pal");
            if (!palette) throw std::runtime_error("no palette " + word.substr(1));
            for (std::string name, color; palette >> name >> color;)
                std::cout << name << " " << transform(Color::parse(color)).hex() << "\n";
        }
    } catch (const std::exception& error) {
        std::cerr << "barvy: " << error.what() << "\n";
        return 1;
    }
}
