#include "checks/words.hpp"

#include <cstdint>

namespace primacy::checks::words {

std::string seconds(duration length) {
    using namespace std::chrono;
    std::int64_t tenths = duration_cast<milliseconds>(length).count() / 100;
    if (tenths < 0) tenths = 0;
    if (tenths < 100) return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
    std::int64_t whole = tenths / 10;
    if (whole < 120) return std::to_string(whole) + " s";
    if (whole < 7200)
        return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
    return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
        text += names[i];
    }
    return text;
}

std::string subject(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

std::string count(std::size_t number, const std::string& noun) {
    return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace primacy::checks::words
