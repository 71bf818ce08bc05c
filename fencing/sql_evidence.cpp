#include "fencing/sql_evidence.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace primacy::fencing {
namespace {

using setting = checks::switch_setting::state;

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const auto& part : parts) {
        if (!text.empty()) text += ", ";
        text += part;
    }
    return text;
}

bool is_no_admin(std::string_view text) noexcept {
    constexpr std::string_view word = "NO_LOCK_NO_ADMIN";
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char a, char b) { return (a & ~0x20) == (b & ~0x20); });
}

bool own_mariadb_writes(const checks::server_facts& earlier, const checks::server_facts& later) {
    for (const auto& entry : later.binlog_state->entries()) {
        const bool own = entry.server_id == later.server_id;
        if (own &&
            earlier.binlog_state->sequence_of(entry.domain, entry.server_id) != entry.sequence)
            return true;
    }
    return false;
}

bool own_mysql_writes(const checks::server_facts& earlier, const checks::server_facts& later) {
    const std::string added = later.executed->minus(*earlier.executed).to_string();
    std::string uuid = later.uuid;
    for (char& c : uuid)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return uuid.empty() ? !added.empty() : added.find(uuid) != std::string::npos;
}

std::string owners(const std::vector<sql_session>& sessions) {
    std::set<std::string> names;
    for (const auto& session : sessions)
        names.insert("'" + session.user + "' from " +
                     session.host.substr(0, session.host.rfind(':')));
    return joined({names.begin(), names.end()});
}

std::vector<std::string> texts_of(const std::vector<sql_account>& accounts) {
    std::vector<std::string> texts;
    for (const auto& account : accounts)
        texts.push_back(account.text());
    return texts;
}

void add_facts(const sql_evidence& seen, const std::vector<sql_account>& passing,
               rung_report& report) {
    auto& facts = report.facts;
    facts.emplace_back("read_only", seen.second.facts.read_only.text);
    if (seen.second.facts.super_read_only)
        facts.emplace_back("super_read_only", seen.second.facts.super_read_only->text);
    facts.emplace_back("gtid_after", seen.second.gtid());
    if (!seen.second.binlog.empty()) facts.emplace_back("binlog_after", seen.second.binlog);
    if (seen.bypass_accounts) facts.emplace_back("bypass_accounts", joined(texts_of(passing)));
}

sql_conclusion partial(std::string sentence, bool another_round_may_help) {
    return {{rung_outcome::partial, rung_failure::bypass, std::move(sentence), {}},
            another_round_may_help};
}

sql_conclusion confirmed(const std::string& server, const sql_evidence& seen) {
    std::string still = seen.second.gtid();
    if (still.empty()) still = seen.second.binlog;
    std::string sentence =
        server + " takes no writes: " + seen.second.read_only_text() + " by two new connections";
    if (!still.empty()) sentence += ", and its own history stands still at " + still;
    return {{rung_outcome::confirmed, rung_failure::none, std::move(sentence), {}}, false};
}

sql_conclusion conclude_closed(const std::string& server, const sql_evidence& seen,
                               const std::vector<sql_account>& passing) {
    std::vector<sql_session> alive;
    if (seen.sessions) alive = sessions_of(passing, *seen.sessions, seen.own_user);
    const std::string ordinary = server + " is read-only for ordinary accounts, but ";
    if (own_writes_between(seen.first, seen.second)) {
        const std::string who = alive.empty() ? "" : ": sessions of " + owners(alive);
        return partial(ordinary + "it still writes to its binary log" + who, true);
    }
    if (closure_of(seen.second.facts) == closure::closed_to_all) return confirmed(server, seen);
    if (!seen.bypass_accounts)
        return partial(ordinary +
                           "we may not read which accounts pass read_only; GRANT SELECT ON "
                           "mysql.* TO our account",
                       false);
    if (!seen.sessions)
        return partial(ordinary +
                           "we may not see the sessions of others; GRANT PROCESS ON *.* TO "
                           "our account",
                       false);
    if (!alive.empty())
        return partial(ordinary + "sessions that pass it are open: " + owners(alive), true);
    std::vector<std::string> remote;
    for (const auto& account : passing)
        if (!account.is_local(seen.server_hostname)) remote.push_back(account.text());
    if (!remote.empty())
        return partial(ordinary + "accounts that pass it can come over the network: " +
                           joined(remote) + "; REVOKE READ_ONLY ADMIN ON *.* FROM them",
                       false);
    return confirmed(server, seen);
}

}  // namespace

std::string sql_reading::gtid() const {
    if (facts.binlog_state) return facts.binlog_state->to_string();
    if (facts.executed) return facts.executed->to_string();
    return "";
}

std::string sql_reading::read_only_text() const {
    if (facts.super_read_only && facts.super_read_only->is_on())
        return "super_read_only is " + facts.super_read_only->text;
    return "read_only is " + facts.read_only.text;
}

closure closure_of(const checks::server_facts& facts) noexcept {
    if (facts.kind == checks::flavor::mysql && facts.super_read_only) {
        if (facts.is_being_closed()) return closure::unknown;
        if (facts.super_read_only->is_on()) return closure::closed_to_all;
        if (facts.super_read_only->value == setting::unknown) return closure::unknown;
    }
    switch (facts.read_only.value) {
        case setting::off: return closure::open;
        case setting::unknown: return closure::unknown;
        case setting::on: break;
    }
    const bool nobody = facts.kind == checks::flavor::mariadb && is_no_admin(facts.read_only.text);
    return nobody ? closure::closed_to_all : closure::closed_to_ordinary;
}

bool own_writes_between(const sql_reading& earlier, const sql_reading& later) {
    const auto& before = earlier.facts;
    const auto& after = later.facts;
    if (before.binlog_state && after.binlog_state && !after.binlog_state->empty())
        return own_mariadb_writes(before, after);
    if (before.executed && after.executed && !after.executed->empty())
        return own_mysql_writes(before, after);
    return earlier.binlog != later.binlog;
}

sql_conclusion conclude(const std::string& server, const sql_evidence& seen) {
    std::vector<sql_account> passing;
    if (seen.bypass_accounts) passing = foreign_accounts(*seen.bypass_accounts, seen.own_user);
    const auto first = closure_of(seen.first.facts);
    const auto second = closure_of(seen.second.facts);
    sql_conclusion result;
    if (seen.first.facts.is_being_closed() || seen.second.facts.is_being_closed()) {
        result.report = {rung_outcome::unknown,
                         rung_failure::timeout,
                         server +
                             " is being made read-only by a statement that still waits; it "
                             "takes writes when that gives up",
                         {}};
        result.another_round_may_help = true;
    } else if (first == closure::unknown || second == closure::unknown) {
        result.report = {rung_outcome::unknown,
                         rung_failure::protocol,
                         server + " tells a read_only that we do not understand: \"" +
                             seen.second.facts.read_only.text + "\"",
                         {}};
    } else if (first == closure::open || second == closure::open) {
        const bool undone = first != closure::open;
        result.report = {
            rung_outcome::failed,
            rung_failure::still_alive,
            server + (undone ? " was made writable again while we looked: " : " is writable: ") +
                seen.second.read_only_text(),
            {}};
        result.another_round_may_help = true;
    } else {
        result = conclude_closed(server, seen, passing);
    }
    add_facts(seen, passing, result.report);
    return result;
}

}  // namespace primacy::fencing
