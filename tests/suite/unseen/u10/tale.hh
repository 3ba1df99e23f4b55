#pragma once
#include <string>
std::string tale(const std::string &dir, const std::string &name);
