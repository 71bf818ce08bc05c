#include "checks/gtid.hpp"
#include "checks/gtid_text.hpp"

#include <algorithm>
#include <limits>

namespace primacy::checks {
namespace {

using interval = mysql_gtid_set::interval;
using intervals = std::vector<interval>;

constexpr std::uint64_t highest_number = std::numeric_limits<std::int64_t>::max();

bool is_hex(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_word(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_';
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

bool is_uuid(std::string_view text) noexcept {
    if (text.size() != 36) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
    }
    return true;
}

// MySQL 8.3: a letter or an underscore, then letters, digits and underscores, 32 at most.
bool is_tag(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 32 && !(text[0] >= '0' && text[0] <= '9') &&
           std::all_of(text.begin(), text.end(), is_word);
}

std::optional<interval> parse_interval(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = gtid_text::number(gtid_text::trimmed(text.substr(0, dash)), highest_number);
    const auto last =
        dash == std::string_view::npos
            ? first
            : gtid_text::number(gtid_text::trimmed(text.substr(dash + 1)), highest_number);
    if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
    return interval{*first, *last};
}

// Sorts, and joins what overlaps or touches. Numbers stay below 2^63, so last + 1 cannot wrap.
void normalize(intervals& list) {
    std::sort(list.begin(), list.end());
    intervals joined;
    for (const auto& next : list) {
        if (!joined.empty() && next.first <= joined.back().last + 1) {
            joined.back().last = std::max(joined.back().last, next.last);
        } else {
            joined.push_back(next);
        }
    }
    list = std::move(joined);
}

// Both lists normalized; so is the result.
intervals difference(const intervals& from, const intervals& take) {
    intervals left;
    auto cut = take.begin();
    for (auto rest : from) {
        while (cut != take.end() && cut->last < rest.first)
            ++cut;
        // A cut may reach into the next interval too, so it is not used up here.
        bool consumed = false;
        for (auto knife = cut; knife != take.end() && knife->first <= rest.last; ++knife) {
            if (knife->first > rest.first) left.push_back({rest.first, knife->first - 1});
            if (knife->last >= rest.last) {
                consumed = true;
                break;
            }
            rest.first = knife->last + 1;
        }
        if (!consumed) left.push_back(rest);
    }
    return left;
}

// One element between commas: uuid, then intervals and tags. A tag holds for the intervals after
// it: uuid:1-5:red:1-3:blue:7.
bool parse_source(std::string_view text, std::map<std::string, intervals>& sources) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return false;
    const auto uuid = lower_case(gtid_text::trimmed(text.substr(0, colon)));
    if (!is_uuid(uuid)) return false;

    auto key = uuid;
    bool awaits_interval = true;
    for (auto begin = colon + 1; begin <= text.size();) {
        const auto end = std::min(text.find(':', begin), text.size());
        const auto part = gtid_text::trimmed(text.substr(begin, end - begin));
        begin = end + 1;
        if (const auto numbers = parse_interval(part)) {
            sources[key].push_back(*numbers);
            awaits_interval = false;
            continue;
        }
        const auto tag = lower_case(part);
        const bool second_tag_in_a_row = awaits_interval && key != uuid;
        if (!is_tag(tag) || second_tag_in_a_row) return false;
        key = uuid + ':' + tag;
        awaits_interval = true;
    }
    return !awaits_interval;
}

}  // namespace

std::optional<mysql_gtid_set> mysql_gtid_set::parse(std::string_view text) {
    mysql_gtid_set set;
    text = gtid_text::trimmed(text);
    if (text.empty()) return set;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        if (!parse_source(text.substr(begin, end - begin), set.sources_)) return std::nullopt;
        begin = end + 1;
    }
    for (auto& [key, list] : set.sources_)
        normalize(list);
    return set;
}

std::string mysql_gtid_set::to_string() const {
    std::string text;
    for (const auto& [key, list] : sources_) {
        if (!text.empty()) text += ',';
        text += key;
        for (const auto& [first, last] : list) {
            text += ':' + std::to_string(first);
            if (last != first) text += '-' + std::to_string(last);
        }
    }
    return text;
}

std::uint64_t mysql_gtid_set::count() const noexcept {
    std::uint64_t total = 0;
    for (const auto& [key, list] : sources_) {
        for (const auto& [first, last] : list) {
            const auto length = last - first + 1;
            if (total > std::numeric_limits<std::uint64_t>::max() - length) {
                return std::numeric_limits<std::uint64_t>::max();
            }
            total += length;
        }
    }
    return total;
}

mysql_gtid_set mysql_gtid_set::minus(const mysql_gtid_set& other) const {
    mysql_gtid_set result;
    for (const auto& [key, list] : sources_) {
        const auto found = other.sources_.find(key);
        auto left = found == other.sources_.end() ? list : difference(list, found->second);
        if (!left.empty()) result.sources_.emplace(key, std::move(left));
    }
    return result;
}

mysql_gtid_set mysql_gtid_set::united(const mysql_gtid_set& other) const {
    auto result = *this;
    for (const auto& [key, list] : other.sources_) {
        auto& mine = result.sources_[key];
        mine.insert(mine.end(), list.begin(), list.end());
        normalize(mine);
    }
    return result;
}

bool mysql_gtid_set::contains(const mysql_gtid_set& other) const {
    return other.minus(*this).empty();
}

}  // namespace primacy::checks
