#pragma once
#include <map>
#include <string>

std::map<std::string, double> read_table(const std::string &path);
