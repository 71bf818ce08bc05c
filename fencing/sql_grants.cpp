#include "fencing/sql_grants.hpp"

#include <algorithm>
#include <cstddef>
#include <set>

namespace primacy::fencing {
namespace {

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

struct grant_line {
    std::set<std::string> privileges;  // "PROCESS", "ALL PRIVILEGES"
    std::string object;                // "*.*", "mysql.*", "mysql.global_priv"
    std::string grantee;
};

// "GRANT PROCESS, SUPER ON *.* TO `u`@`%` WITH GRANT OPTION"; a role's line has no ON and is empty
// here, the privileges of active roles have lines of their own.
grant_line parse_line(std::string_view line) {
    constexpr std::string_view opening = "GRANT ";
    const auto on = line.find(" ON ");
    const auto to = line.find(" TO ", on == std::string_view::npos ? 0 : on);
    if (!upper(line).starts_with(opening) || on == std::string_view::npos ||
        to == std::string_view::npos)
        return {};
    grant_line made;
    auto list = line.substr(opening.size(), on - opening.size());
    for (std::size_t begin = 0; begin <= list.size();) {
        const auto end = std::min(list.find(',', begin), list.size());
        made.privileges.insert(upper(trimmed(list.substr(begin, end - begin))));
        begin = end + 1;
    }
    for (const char c : trimmed(line.substr(on + 4, to - on - 4)))
        if (c != '`' && c != '"') made.object += c;
    auto rest = line.substr(to + 4);
    for (const std::string_view word : {" IDENTIFIED", " REQUIRE", " WITH"})
        rest = rest.substr(0, rest.find(word));
    made.grantee = trimmed(rest);
    return made;
}

class held_grants {
public:
    explicit held_grants(const std::vector<std::string>& lines) {
        for (const auto& line : lines)
            lines_.push_back(parse_line(line));
    }

    // One of the privileges on everything.
    bool any(std::initializer_list<std::string_view> privileges) const {
        return std::any_of(lines_.begin(), lines_.end(), [&](const grant_line& line) {
            return line.object == "*.*" && has_one(line, privileges);
        });
    }

    bool may_read(std::string_view table) const {
        const std::string database = std::string(table.substr(0, table.find('.'))) + ".*";
        return std::any_of(lines_.begin(), lines_.end(), [&](const grant_line& line) {
            const bool covers =
                line.object == "*.*" || line.object == database || line.object == table;
            return covers && has_one(line, {"SELECT"});
        });
    }

private:
    static bool has_one(const grant_line& line,
                        std::initializer_list<std::string_view> privileges) {
        if (line.privileges.contains("ALL PRIVILEGES") || line.privileges.contains("ALL"))
            return true;
        return std::any_of(privileges.begin(), privileges.end(), [&](std::string_view one) {
            return line.privileges.contains(std::string(one));
        });
    }

    std::vector<grant_line> lines_;
};

struct needed {
    bool held;
    std::string_view privilege;
    std::string_view object = "*.*";
};

std::vector<needed> needed_on_mariadb(checks::server_version version, const held_grants& held) {
    const bool fine_grained = version >= checks::server_version{10, 5, 2};
    if (!fine_grained) {
        return {{held.any({"SUPER"}), "SUPER"},
                {held.any({"PROCESS"}), "PROCESS"},
                {held.may_read("mysql.global_priv"), "SELECT", "mysql.global_priv"},
                {held.may_read("mysql.roles_mapping"), "SELECT", "mysql.roles_mapping"}};
    }
    // SUPER held READ_ONLY ADMIN before 10.11, and CONNECTION ADMIN before 11.0.
    const bool super = held.any({"SUPER"});
    const bool super_closes = super && version < checks::server_version{10, 11, 0};
    const bool super_kills = super && version < checks::server_version{11, 0, 1};
    return {{super_closes || held.any({"READ_ONLY ADMIN", "READ ONLY ADMIN"}), "READ_ONLY ADMIN"},
            {super_kills || held.any({"CONNECTION ADMIN"}), "CONNECTION ADMIN"},
            {held.any({"PROCESS"}), "PROCESS"},
            {held.may_read("mysql.global_priv"), "SELECT", "mysql.global_priv"},
            {held.may_read("mysql.roles_mapping"), "SELECT", "mysql.roles_mapping"}};
}

std::vector<needed> needed_on_mysql(checks::server_version version, const held_grants& held) {
    const bool super = held.any({"SUPER"});
    if (version < checks::server_version{8, 0, 0})
        return {{super, "SUPER"}, {held.any({"PROCESS"}), "PROCESS"}};
    return {{super || held.any({"SYSTEM_VARIABLES_ADMIN"}), "SYSTEM_VARIABLES_ADMIN"},
            {super || held.any({"CONNECTION_ADMIN"}), "CONNECTION_ADMIN"},
            {held.any({"PROCESS"}), "PROCESS"}};
}

}  // namespace

std::vector<std::string> missing_fence_grants(checks::flavor kind, checks::server_version version,
                                              const std::vector<std::string>& grants,
                                              std::string_view account) {
    const held_grants held(grants);
    const auto list = kind == checks::flavor::mariadb ? needed_on_mariadb(version, held)
                                                      : needed_on_mysql(version, held);
    std::vector<std::string> missing;
    for (const auto& one : list) {
        if (one.held) continue;
        missing.push_back("GRANT " + std::string(one.privilege) + " ON " + std::string(one.object) +
                          " TO " + std::string(account) + ";");
    }
    return missing;
}

std::string grantee_of(const std::vector<std::string>& grants) {
    for (const auto& line : grants) {
        auto parsed = parse_line(line);
        if (parsed.grantee.find('@') != std::string::npos) return parsed.grantee;
    }
    return "";
}

}  // namespace primacy::fencing
