// Reads one section of a document by the table of keys: unknown, missing and wrong values become
// problems, the others settings. Knows nothing of what a section is for.
#pragma once

#include "agent/app/config/setting.hpp"

#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::app {

// What is found while one file is read.
class problem_list {
public:
    // "topology.shop.mode: sentence".
    void problem(file_position at, std::string_view where, std::string_view sentence);
    void warning(file_position at, std::string_view where, std::string_view sentence);
    // In the order of the file; leave nothing behind.
    std::vector<config_problem> take_problems();
    std::vector<config_problem> take_warnings();

private:
    std::vector<config_problem> problems_;
    std::vector<config_problem> warnings_;
};

struct reading {
    std::filesystem::path directory;  // of the file; relative paths are relative to it
    bool look_at_files = true;
    problem_list found;
};

// The settings of one section: each of its keys is there, written or not.
class section_values {
public:
    const setting& operator[](std::string_view key) const;
    // For problems: "topology.shop", and the section's own place.
    const std::string& where() const { return where_; }
    std::string where(std::string_view key) const {
        return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
    }
    file_position at() const { return at_; }

private:
    friend section_values read_section(reading& into, const document_value* table,
                                       std::initializer_list<section> which, std::string where,
                                       file_position at);
    std::map<std::string_view, setting> settings_;
    std::string where_;
    file_position at_;
};

// `table` null: a section that is not written, all defaults. A section may be put together of
// several parts (a method and the keys of its type). The settings point into `table`.
section_values read_section(reading& into, const document_value* table,
                            std::initializer_list<section> which, std::string where,
                            file_position at);

}  // namespace primacy::app
