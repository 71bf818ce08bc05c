#include "checks/queries/cells.hpp"
#include "checks/queries/queries.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace primacy::checks::queries {
namespace {

// The answer of the status statement: pairs of name and value.
class name_values {
public:
    explicit name_values(const rt::sql::rows& answer) : answer_(answer) {
        column_finder columns(answer);
        name_ = columns.find("name");
        value_ = columns.find("value");
    }
    bool usable() const noexcept { return name_ && value_; }
    // By the first of the names that is there.
    std::optional<std::string_view> operator()(std::string_view name,
                                               std::string_view other_name = {}) const noexcept {
        for (std::size_t row = 0; row < answer_.row_count(); ++row) {
            const auto here = answer_.cell(row, *name_).value_or("");
            if (same_name(here, name) || (!other_name.empty() && same_name(here, other_name))) {
                return answer_.cell(row, *value_);
            }
        }
        return std::nullopt;
    }

private:
    const rt::sql::rows& answer_;
    std::optional<std::size_t> name_, value_;
};

bool is_on(std::optional<std::string_view> text) {
    return text && parse_switch(*text).is_on();
}

int small_number(std::optional<std::string_view> text) noexcept {
    return std::max(0, number<int>(text).value_or(0));
}

// A server without the semi-sync plugin has none of these variables: nobody wants semi-sync there.
semisync_facts semisync_from(const name_values& status) {
    return {is_on(status("rpl_semi_sync_master_enabled", "rpl_semi_sync_source_enabled")),
            is_on(status("Rpl_semi_sync_master_status", "Rpl_semi_sync_source_status")),
            small_number(status("Rpl_semi_sync_master_clients", "Rpl_semi_sync_source_clients"))};
}

galera_facts galera_from(const name_values& status) {
    galera_facts facts;
    facts.provider_on = is_on(status("wsrep_on"));
    facts.ready = is_on(status("wsrep_ready"));
    facts.cluster_status = text_or_empty(status("wsrep_cluster_status"));
    facts.cluster_uuid = text_or_empty(status("wsrep_cluster_state_uuid"));
    // Outside a cluster some versions print -1, others the unsigned number that has its bits.
    const auto view = number<std::uint64_t>(status("wsrep_cluster_conf_id"));
    facts.conf_id = view ? static_cast<std::int64_t>(*view) : -1;
    facts.cluster_size = small_number(status("wsrep_cluster_size"));
    facts.state_comment = text_or_empty(status("wsrep_local_state_comment"));
    return facts;
}

rt::result<void> read_status(const rt::sql::rows& answer, server_details& details) {
    const name_values status(answer);
    if (!status.usable()) return lacks_column("status", "name or value");
    const auto uptime = number<std::uint64_t>(status("uptime"));
    if (!uptime) {
        return rt::error{rt::errc::protocol, 0, "the server's status has no uptime"};
    }
    details.uptime_seconds = static_cast<double>(*uptime);
    details.semisync = semisync_from(status);
    if (status("wsrep_on")) details.galera = galera_from(status);
    return {};
}

rt::result<void> read_replicas(const rt::sql::rows& answer, server_details& details) {
    column_finder columns(answer);
    const auto replicas = columns.find("replicas");
    const auto privilege = columns.find("process_privilege");
    if (!replicas || !privilege) return lacks_column("process list", "replicas");
    // Zero: we may not see the sessions of others.
    if (small_number(cell(answer, 0, privilege)) == 0) return {};
    const auto count = number<int>(cell(answer, 0, replicas));
    if (count && *count >= 0) details.connected_replicas = count;
    return {};
}

std::string quoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'') result += c;
        result += c;
    }
    return result += '\'';
}

rt::result<void> read_bypass_accounts(const rt::sql::rows& answer, server_details& details) {
    column_finder columns(answer);
    const auto user = columns.find("account_user");
    const auto host = columns.find("account_host");
    const auto is_role = columns.find("is_role");
    if (!user || !host) return lacks_column("accounts", "account_user or account_host");
    std::vector<std::string> accounts;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        const auto name = cell(answer, row, user).value_or("");
        if (cell(answer, row, is_role).value_or("0") == "1") {
            accounts.emplace_back(name);  // PUBLIC
        } else {
            accounts.push_back(quoted(name) + '@' + quoted(cell(answer, row, host).value_or("")));
        }
    }
    details.bypass_accounts = std::move(accounts);
    return {};
}

// What a switch will be after a restart, as far as the server tells.
switch_setting::state state_at_boot(std::string_view source, std::optional<std::string_view> value,
                                    std::optional<std::string_view> persisted) {
    using enum switch_setting::state;
    // MySQL's SET PERSIST wins over every configuration file.
    if (persisted) return parse_read_only(*persisted).value;
    constexpr std::array not_configured = {"COMPILE-TIME", "COMPILED"};
    constexpr std::array configured = {"CONFIG", "COMMAND-LINE", "COMMAND_LINE", "ENV",
                                       "GLOBAL", "SERVER",       "EXPLICIT",     "EXTRA",
                                       "USER",   "LOGIN",        "PERSISTED"};
    const auto is_source = [&](std::string_view word) { return same_name(source, word); };
    if (std::any_of(not_configured.begin(), not_configured.end(), is_source)) return off;
    if (!value || std::none_of(configured.begin(), configured.end(), is_source)) return unknown;
    return parse_read_only(*value).value;  // not set since: this is what the configuration says
}

rt::result<void> read_boot_settings(const rt::sql::rows& answer, server_details& details) {
    column_finder columns(answer);
    const auto value = columns.find("value");
    const auto source = columns.find("source");
    const auto persisted = columns.find("persisted");
    if (!value || !source || !persisted) return lacks_column("settings", "value or source");
    bool all_known = answer.row_count() > 0;
    bool any_on = false;  // read_only or super_read_only: either keeps a fresh server closed
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        const auto state = state_at_boot(cell(answer, row, source).value_or(""),
                                         cell(answer, row, value), cell(answer, row, persisted));
        any_on = any_on || state == switch_setting::state::on;
        all_known = all_known && state != switch_setting::state::unknown;
    }
    if (any_on || all_known) details.boots_writable = !any_on;
    return {};
}

}  // namespace

void forget_detail(detail what, server_details& details) noexcept {
    switch (what) {
        case detail::status:
            details.uptime_seconds.reset();
            details.semisync.reset();
            details.galera.reset();
            break;
        case detail::replicas: details.connected_replicas.reset(); break;
        case detail::bypass_accounts: details.bypass_accounts.reset(); break;
        case detail::boot_settings: details.boots_writable.reset(); break;
    }
}

rt::result<void> read_detail(detail what, const rt::sql::rows& answer, server_details& details) {
    forget_detail(what, details);
    switch (what) {
        case detail::status: return read_status(answer, details);
        case detail::replicas: return read_replicas(answer, details);
        case detail::bypass_accounts: return read_bypass_accounts(answer, details);
        case detail::boot_settings: return read_boot_settings(answer, details);
    }
    return rt::error{rt::errc::internal, 0, "there is no such detail"};
}

}  // namespace primacy::checks::queries
