// What an account may do, read from the lines of SHOW GRANTS. Pure text work; knows nothing of what
// the privileges are wanted for.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::checks {

// "GRANT SELECT, PROCESS ON `shop`.* TO `u`@`%` …", taken apart. A line without ON (a role that is
// granted) is empty here: the privileges of active roles have lines of their own.
struct grant_line {
    std::set<std::string> privileges;  // in capitals: "PROCESS", "ALL PRIVILEGES"
    std::string database;              // "*", or a pattern as it was granted; unquoted
    std::string table;                 // "*", or a name; unquoted
    std::string grantee;               // as it stands after TO
};
grant_line parse_grant(std::string_view line);

class held_grants {
public:
    held_grants() = default;
    explicit held_grants(const std::vector<std::string>& lines);

    // One of the privileges on everything.
    bool any(std::initializer_list<std::string_view> privileges) const;
    // On every table of the database, those to come included.
    bool on_database(std::string_view privilege, std::string_view database) const;
    // On this one table, also by its database or by everything.
    bool on_table(std::string_view privilege, std::string_view database,
                  std::string_view table) const;
    // Of the databases that are named in it ("*" for all), those on which all of the privileges are
    // held; a granted pattern as it is.
    std::vector<std::string> databases_with(const std::vector<std::string>& privileges) const;
    // The account, as it stands after TO; empty when no line names one.
    const std::string& grantee() const noexcept { return grantee_; }

private:
    std::vector<grant_line> lines_;
    std::string grantee_;
};

}  // namespace primacy::checks
