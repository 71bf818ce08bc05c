#include "fencing/sql_plan.hpp"

#include <algorithm>
#include <cstddef>

namespace primacy::fencing {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool starts_with_word(std::string_view text, std::string_view word) noexcept {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

bool same_word(std::string_view text, std::string_view word) noexcept {
    return text.size() == word.size() && starts_with_word(text, word);
}

// SQL's LIKE, letter case ignored: % is any text, _ any character.
bool is_like(std::string_view text, std::string_view pattern) noexcept {
    std::size_t at = 0, next = 0;
    std::size_t star = std::string_view::npos, resume = 0;
    while (at < text.size()) {
        const bool one = next < pattern.size() && pattern[next] != '%' &&
                         (pattern[next] == '_' || lower(pattern[next]) == lower(text[at]));
        if (one) {
            ++at;
            ++next;
        } else if (next < pattern.size() && pattern[next] == '%') {
            star = next++;
            resume = at;
        } else if (star != std::string_view::npos) {
            next = star + 1;
            at = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('%', next) == std::string_view::npos;
}

// "10.0.0.7:51234" and "::1:51234" without the port; "localhost" as it is.
std::string_view host_of(const sql_session& session) noexcept {
    const std::string_view host = session.host;
    const auto colon = host.rfind(':');
    return colon == std::string_view::npos ? host : host.substr(0, colon);
}

bool is_client(const sql_session& session, std::string_view own_user) noexcept {
    return role_of(session, own_user) == session_role::client && !is_ending(session);
}

}  // namespace

sql_statements sql_statements_for(checks::flavor kind, checks::server_version version) {
    if (kind == checks::flavor::mariadb) {
        sql_statements made{{"SET GLOBAL read_only = ON"},
                            {"SET GLOBAL read_only = OFF"},
                            {"SET GLOBAL rpl_semi_sync_master_enabled = OFF"},
                            "SHOW MASTER STATUS"};
        // Only this value also stops accounts with READ_ONLY ADMIN.
        if (version >= checks::server_version{12, 0, 0})
            made.close.insert(made.close.begin(), "SET GLOBAL read_only = NO_LOCK_NO_ADMIN");
        return made;
    }
    const bool new_words = version >= checks::server_version{8, 2, 0};
    return {{"SET GLOBAL super_read_only = ON", "SET GLOBAL read_only = ON"},
            {"SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF"},
            {"SET GLOBAL rpl_semi_sync_source_enabled = OFF",
             "SET GLOBAL rpl_semi_sync_master_enabled = OFF"},
            new_words ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS"};
}

std::string bound_own_session(checks::flavor kind, int lock_wait) {
    const std::string seconds = std::to_string(lock_wait);
    constexpr int more = 2;
    const std::string limit =
        kind == checks::flavor::mariadb
            ? "max_statement_time = " + std::to_string(lock_wait + more)
            : "max_execution_time = " + std::to_string((lock_wait + more) * 1000);
    return "SET SESSION lock_wait_timeout = " + seconds + ", SESSION " + limit +
           ", SESSION wait_timeout = 30";
}

session_role role_of(const sql_session& session, std::string_view own_user) noexcept {
    for (const std::string_view command : {"Binlog Dump", "Register Slave", "Register Replica"}) {
        if (starts_with_word(session.command, command)) return session_role::replication;
    }
    for (const std::string_view user :
         {"system user", "event_scheduler", "unauthenticated user", "mysql.session"}) {
        if (session.user == user) return session_role::server;
    }
    if (same_word(session.command, "Daemon") || starts_with_word(session.command, "Slave_"))
        return session_role::server;
    return session.user == own_user ? session_role::own : session_role::client;
}

bool is_ending(const sql_session& session) noexcept {
    return same_word(session.command, "Killed");
}

bool waits_for_acknowledgement(const sql_session& session) noexcept {
    return starts_with_word(session.state, "Waiting for semi-sync ACK");
}

std::vector<std::uint64_t> blockers(const std::vector<sql_session>& sessions,
                                    std::string_view own_user, int pass) {
    std::vector<std::uint64_t> found;
    for (const auto& session : sessions) {
        const bool may_block = pass > 0 || !same_word(session.command, "Sleep");
        if (is_client(session, own_user) && may_block) found.push_back(session.id);
    }
    return found;
}

std::string sql_account::text() const {
    if (everybody) return user;
    std::string made;
    for (const std::string* part : {&user, &host}) {
        made += made.empty() ? "'" : "@'";
        for (const char c : *part) {
            if (c == '\'') made += c;
            made += c;
        }
        made += '\'';
    }
    return made;
}

bool sql_account::is_local(std::string_view server_hostname) const {
    if (everybody || host.empty()) return false;
    if (same_word(host, "localhost") || host == "::1") return true;
    if (host.starts_with("127.")) return true;
    return !server_hostname.empty() && same_word(host, server_hostname);
}

bool sql_account::may_own(const sql_session& session) const {
    if (everybody) return true;
    if (session.user != user) return false;
    // A netmask, or a name where the list shows addresses: cannot be excluded.
    const bool comparable = host.find('/') == std::string::npos;
    if (host.empty() || !comparable) return true;
    const std::string_view from = host_of(session);
    const bool over_loopback = from == "127.0.0.1" || from == "::1";
    return is_like(from, host) || (over_loopback && is_local(""));
}

std::optional<sql_account> parse_account(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (text.front() != '\'') return sql_account{std::string(text), "", true};
    sql_account account;
    std::size_t at = 0;
    for (std::string* part : {&account.user, &account.host}) {
        if (part == &account.host) {
            if (at >= text.size() || text[at] != '@') return std::nullopt;
            ++at;
        }
        if (at >= text.size() || text[at] != '\'') return std::nullopt;
        for (++at;; ++at) {
            if (at >= text.size()) return std::nullopt;
            const bool quote = text[at] == '\'';
            const bool doubled = quote && at + 1 < text.size() && text[at + 1] == '\'';
            if (quote && !doubled) break;
            if (doubled) ++at;
            *part += text[at];
        }
        ++at;
    }
    if (at != text.size()) return std::nullopt;
    return account;
}

std::vector<sql_account> foreign_accounts(const std::vector<std::string>& listed,
                                          std::string_view own_user) {
    std::vector<sql_account> found;
    for (const auto& text : listed) {
        auto account = parse_account(text);
        // What cannot be read may be anybody.
        if (!account) account = sql_account{text, "", true};
        if (account->everybody || account->user != own_user) found.push_back(std::move(*account));
    }
    return found;
}

std::vector<sql_session> sessions_of(const std::vector<sql_account>& accounts,
                                     const std::vector<sql_session>& sessions,
                                     std::string_view own_user) {
    std::vector<sql_session> found;
    for (const auto& session : sessions) {
        const bool owned = std::any_of(
            accounts.begin(), accounts.end(),
            [&session](const sql_account& account) { return account.may_own(session); });
        if (owned && is_client(session, own_user)) found.push_back(session);
    }
    return found;
}

}  // namespace primacy::fencing
