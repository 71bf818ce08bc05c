#include "checks/grants.hpp"

#include <algorithm>
#include <cstddef>

namespace primacy::checks {

namespace {

constexpr auto npos = std::string_view::npos;

std::string upper(std::string_view text) {
    std::string made(text);
    for (char& c : made)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return made;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ')
        text.remove_suffix(1);
    return text;
}

// Where `what` stands outside of quotes and brackets.
std::size_t find_outside(std::string_view text, std::string_view what) {
    char quote = 0;
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (quote) {
            if (text[i] == quote) quote = 0;
        } else if (depth == 0 && text.substr(i).starts_with(what)) {
            return i;
        } else if (text[i] == '`' || text[i] == '"' || text[i] == '\'') {
            quote = text[i];
        } else if (text[i] == '(') {
            ++depth;
        } else if (text[i] == ')') {
            --depth;
        }
    }
    return npos;
}

// "`we``ird`" → "we`ird"
std::string unquoted(std::string_view part) {
    part = trimmed(part);
    const bool quoted = part.size() >= 2 && (part.front() == '`' || part.front() == '"');
    if (!quoted) return std::string(part);
    const char quote = part.front();
    std::string made;
    for (std::size_t i = 1; i + 1 < part.size(); ++i) {
        made += part[i];
        if (part[i] == quote) ++i;
    }
    return made;
}

// A database is granted as a pattern of LIKE: "shop\_%".
bool matches(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) return name.empty();
    if (pattern.front() == '%') {
        for (std::size_t skip = 0; skip <= name.size(); ++skip)
            if (matches(pattern.substr(1), name.substr(skip))) return true;
        return false;
    }
    if (name.empty()) return false;
    const bool escaped = pattern.front() == '\\' && pattern.size() > 1;
    if (escaped) pattern.remove_prefix(1);
    const bool fits = (pattern.front() == '_' && !escaped) || pattern.front() == name.front();
    return fits && matches(pattern.substr(1), name.substr(1));
}

// "shop\_eu" is granted, and shop_eu is meant. A pattern stays one.
std::string without_escapes(std::string_view pattern) {
    std::string made;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
        made += pattern[i];
    }
    return made;
}

bool gives(const grant_line& line, std::string_view privilege) {
    return line.privileges.contains("ALL PRIVILEGES") || line.privileges.contains("ALL") ||
           line.privileges.contains(std::string(privilege));
}

bool covers_database(const grant_line& line, std::string_view database) {
    return line.table == "*" && (line.database == "*" || matches(line.database, database));
}

}  // namespace

grant_line parse_grant(std::string_view line) {
    constexpr std::string_view opening = "GRANT ";
    if (!upper(line.substr(0, opening.size())).starts_with(opening)) return {};
    auto list = line.substr(opening.size());
    const auto on = find_outside(list, " ON ");
    if (on == npos) return {};
    auto rest = list.substr(on + 4);
    list = list.substr(0, on);
    const auto to = find_outside(rest, " TO ");
    if (to == npos) return {};
    grant_line made;
    while (!list.empty()) {
        const auto end = std::min(find_outside(list, ","), list.size());
        made.privileges.insert(upper(trimmed(list.substr(0, end))));
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    auto object = rest.substr(0, to);
    const auto dot = find_outside(object, ".");
    made.database = unquoted(object.substr(0, dot));
    if (dot != npos) made.table = unquoted(object.substr(dot + 1));
    rest = rest.substr(to + 4);
    for (const std::string_view word : {" IDENTIFIED", " REQUIRE", " WITH"})
        rest = rest.substr(0, find_outside(rest, word));
    made.grantee = trimmed(rest);
    return made;
}

held_grants::held_grants(const std::vector<std::string>& lines) {
    for (const auto& line : lines) {
        lines_.push_back(parse_grant(line));
        const bool account = lines_.back().grantee.find('@') != std::string::npos;
        if (grantee_.empty() && account) grantee_ = lines_.back().grantee;
    }
}

bool held_grants::any(std::initializer_list<std::string_view> privileges) const {
    return std::any_of(lines_.begin(), lines_.end(), [&](const grant_line& line) {
        return line.database == "*" && line.table == "*" &&
               std::any_of(privileges.begin(), privileges.end(),
                           [&](std::string_view one) { return gives(line, one); });
    });
}

bool held_grants::on_database(std::string_view privilege, std::string_view database) const {
    return std::any_of(lines_.begin(), lines_.end(), [&](const grant_line& line) {
        return covers_database(line, database) && gives(line, privilege);
    });
}

bool held_grants::on_table(std::string_view privilege, std::string_view database,
                           std::string_view table) const {
    return std::any_of(lines_.begin(), lines_.end(), [&](const grant_line& line) {
        const bool itself = line.database == database && line.table == table;
        return (itself || covers_database(line, database)) && gives(line, privilege);
    });
}

std::vector<std::string> held_grants::databases_with(
    const std::vector<std::string>& privileges) const {
    std::vector<std::string> made;
    for (const auto& line : lines_) {
        if (line.table != "*" || line.database.empty()) continue;
        const bool all = std::all_of(privileges.begin(), privileges.end(), [&](const auto& one) {
            return gives(line, one) || any({one});
        });
        std::string name = without_escapes(line.database);
        if (all && std::find(made.begin(), made.end(), name) == made.end())
            made.push_back(std::move(name));
    }
    return made;
}

}  // namespace primacy::checks
