#include "tests/osc/words.hpp"

#include <cstdlib>

namespace primacy::osc_stories {

std::vector<std::string> words_of(const std::string& line) {
    std::vector<std::string> words;
    std::string word;
    bool quoted = false, any = false;
    for (char c : line + " ") {
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (c == ' ' && !quoted) {
            if (any) words.push_back(word);
            word.clear();
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    return words;
}

std::string after_first_word(const std::string& line) {
    auto blank = line.find(' ');
    return blank == std::string::npos ? "" : line.substr(blank + 1);
}

pair_of_words split_at(const std::string& word, char separator) {
    auto at = word.find(separator);
    if (at == std::string::npos) return {word, ""};
    return {word.substr(0, at), word.substr(at + 1)};
}

std::vector<std::string> split_list(const std::string& text, char separator) {
    std::vector<std::string> made;
    std::string part;
    for (char c : text + separator) {
        if (c != separator) {
            part += c;
        } else {
            made.push_back(part);
            part.clear();
        }
    }
    return made;
}

std::optional<std::chrono::milliseconds> duration_of(const std::string& text) {
    char* end = nullptr;
    const long number = std::strtol(text.c_str(), &end, 10);
    const std::string unit = end;
    if (end == text.c_str()) return std::nullopt;
    using std::chrono::milliseconds;
    if (unit == "ms") return milliseconds(number);
    if (unit == "s") return milliseconds(number * 1000);
    if (unit == "m") return milliseconds(number * 60'000);
    if (unit == "h") return milliseconds(number * 3'600'000);
    if (unit == "d") return milliseconds(number * 86'400'000);
    return std::nullopt;
}

std::optional<std::chrono::minutes> time_of_day(const std::string& text) {
    auto [hours, minutes] = split_at(text, ':');
    if (hours.empty() || minutes.empty()) return std::nullopt;
    return std::chrono::minutes(std::atoi(hours.c_str()) * 60 + std::atoi(minutes.c_str()));
}

std::optional<std::uint64_t> bytes_of(const std::string& text) {
    char* end = nullptr;
    const std::uint64_t number = std::strtoull(text.c_str(), &end, 10);
    const std::string unit = end;
    if (end == text.c_str()) return std::nullopt;
    if (unit.empty()) return number;
    if (unit == "MB") return number * 1'000'000;
    if (unit == "GB") return number * 1'000'000'000;
    return std::nullopt;
}

std::optional<bool> switch_of(const std::string& text) {
    if (text == "yes") return true;
    if (text == "no") return false;
    return std::nullopt;
}

}  // namespace primacy::osc_stories
