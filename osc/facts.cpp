#include "osc/facts.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

// Column names compare without letter case (as far as ASCII goes; the server has the last word).
bool same_name(std::string_view one, std::string_view other) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return one.size() == other.size() &&
           std::equal(one.begin(), one.end(), other.begin(),
                      [&](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace

const column_fact* table_facts::column(std::string_view wanted) const {
    for (const auto& each : columns)
        if (same_name(each.name, wanted)) return &each;
    return nullptr;
}

const key_fact* table_facts::row_identity() const {
    const key_fact* found = nullptr;
    for (const auto& each : keys)
        if (each.unique && !each.nullable && (!found || each.name == "PRIMARY")) found = &each;
    return found;
}

bool is_same_engine(std::string_view one, std::string_view other) noexcept {
    return same_name(one, other);
}

std::string_view to_string(tool which) noexcept {
    switch (which) {
        case tool::native: return "native";
        case tool::gh_ost: return "gh-ost";
        case tool::pt_osc: return "pt-osc";
    }
    return "native";
}

const server_side* facts::writer() const {
    for (const auto& each : servers)
        if (each.is_writer) return &each;
    return nullptr;
}

}  // namespace primacy::osc
