#include "osc/grants.hpp"

namespace primacy::osc {

using checks::flavor;
using checks::held_grants;
using checks::server_version;

namespace {

std::string listed(const std::vector<std::string>& privileges) {
    std::string made;
    for (const auto& each : privileges)
        made += (made.empty() ? "" : ", ") + each;
    return made;
}

// In GRANT a database is a pattern: "_" and "%" in its name are escaped.
std::string as_pattern(std::string_view database) {
    std::string made;
    for (char c : database) {
        if (c == '_' || c == '%' || c == '\\') made += '\\';
        made += c;
    }
    return quoted(made) + ".*";
}

std::string grant(const std::vector<std::string>& privileges, const std::string& on,
                  const std::string& account) {
    return "GRANT " + listed(privileges) + " ON " + on + " TO " + account + ";";
}

// Adds what is lacking on the database, as one statement.
void need_on_database(std::vector<std::string>& missing, const std::vector<std::string>& privileges,
                      const held_grants& held, const grant_question& asked) {
    std::vector<std::string> lacking;
    for (const auto& each : privileges)
        if (!held.on_database(each, asked.database)) lacking.push_back(each);
    if (!lacking.empty())
        missing.push_back(grant(lacking, as_pattern(asked.database), asked.account));
}

void need_globally(std::vector<std::string>& missing,
                   std::initializer_list<std::string_view> any_of, const held_grants& held,
                   const grant_question& asked) {
    if (!held.any(any_of))
        missing.push_back(grant({std::string(*any_of.begin())}, "*.*", asked.account));
}

// gh-ost reads SHOW GRANTS for these very words before it begins. Until it knew MariaDB it did not
// know the name that REPLICATION CLIENT has there since 10.5, and SUPER is the other way it takes.
void need_for_gh_ost(std::vector<std::string>& missing, const held_grants& held,
                     const grant_question& asked) {
    need_on_database(missing, privileges_to_copy(), held, asked);
    need_globally(missing, {"REPLICATION SLAVE"}, held, asked);
    const bool renamed = asked.kind == flavor::mariadb && asked.version >= server_version{10, 5, 2};
    if (!renamed) {
        need_globally(missing, {"REPLICATION CLIENT", "SUPER"}, held, asked);
        return;
    }
    if (!asked.gh_ost_knows_mariadb) need_globally(missing, {"SUPER"}, held, asked);
    // Since 11.0 SUPER holds neither of these.
    const bool super = asked.version < server_version{11, 0, 1} && held.any({"SUPER"});
    if (super) return;
    need_globally(missing, {"BINLOG MONITOR", "REPLICATION CLIENT"}, held, asked);
    need_globally(missing, {"SLAVE MONITOR", "REPLICA MONITOR"}, held, asked);
}

// A server with a binary log lets only SUPER make triggers, unless it was told to trust others
// (error 1419).
void need_for_pt_osc(std::vector<std::string>& missing, const held_grants& held,
                     const grant_question& asked) {
    need_on_database(
        missing,
        {"ALTER", "CREATE", "DELETE", "DROP", "INDEX", "INSERT", "SELECT", "TRIGGER", "UPDATE"},
        held, asked);
    need_globally(missing, {"PROCESS"}, held, asked);
    const bool restricted = asked.log_bin.value_or(true) && !asked.trusts_trigger_creators;
    if (restricted) need_globally(missing, {"SUPER"}, held, asked);
}

}  // namespace

const std::vector<std::string>& privileges_to_copy() {
    static const std::vector<std::string> all = {"ALTER",   "CREATE", "DELETE",      "DROP",
                                                 "INDEX",   "INSERT", "LOCK TABLES", "SELECT",
                                                 "TRIGGER", "UPDATE"};
    return all;
}

std::vector<std::string> missing_to_plan(const held_grants& held, const grant_question& asked) {
    std::vector<std::string> missing;
    need_on_database(missing, {"SELECT", "TRIGGER"}, held, asked);
    need_globally(missing, {"PROCESS"}, held, asked);
    return missing;
}

std::vector<std::string> missing_for(tool which, const held_grants& held,
                                     const grant_question& asked) {
    std::vector<std::string> missing;
    switch (which) {
        case tool::native: need_on_database(missing, {"ALTER"}, held, asked); break;
        case tool::gh_ost: need_for_gh_ost(missing, held, asked); break;
        case tool::pt_osc: need_for_pt_osc(missing, held, asked); break;
    }
    return missing;
}

}  // namespace primacy::osc
