#include "fencing/sql_grants.hpp"

#include "checks/grants.hpp"

namespace primacy::fencing {

using checks::held_grants;

namespace {

bool may_read(const held_grants& held, std::string_view table) {
    return held.on_table("SELECT", "mysql", table);
}

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
                {may_read(held, "global_priv"), "SELECT", "mysql.global_priv"},
                {may_read(held, "roles_mapping"), "SELECT", "mysql.roles_mapping"}};
    }
    // SUPER held READ_ONLY ADMIN before 10.11, and CONNECTION ADMIN before 11.0.
    const bool super = held.any({"SUPER"});
    const bool super_closes = super && version < checks::server_version{10, 11, 0};
    const bool super_kills = super && version < checks::server_version{11, 0, 1};
    return {{super_closes || held.any({"READ_ONLY ADMIN", "READ ONLY ADMIN"}), "READ_ONLY ADMIN"},
            {super_kills || held.any({"CONNECTION ADMIN"}), "CONNECTION ADMIN"},
            {held.any({"PROCESS"}), "PROCESS"},
            {may_read(held, "global_priv"), "SELECT", "mysql.global_priv"},
            {may_read(held, "roles_mapping"), "SELECT", "mysql.roles_mapping"}};
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
    return held_grants(grants).grantee();
}

}  // namespace primacy::fencing
