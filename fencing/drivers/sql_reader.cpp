#include "fencing/drivers/sql_reader.hpp"

#include <charconv>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;
namespace queries = checks::queries;

rung_failure failure_of(const rt::error& failure) noexcept {
    switch (failure.code) {
        case rt::errc::timeout: return rung_failure::timeout;
        case rt::errc::refused:
        case rt::errc::unreachable:
        case rt::errc::dns:
        case rt::errc::lost: return rung_failure::unreachable;
        case rt::errc::denied: return rung_failure::denied;
        case rt::errc::tls: return rung_failure::tls;
        case rt::errc::too_many_connections:
        case rt::errc::query: return rung_failure::refused;
        case rt::errc::protocol:
        case rt::errc::limit: return rung_failure::protocol;
        case rt::errc::cancelled: return rung_failure::cancelled;
        default: return rung_failure::internal;
    }
}

namespace {

std::string text_of(const rt::sql::rows& answer, std::size_t row, std::string_view column) {
    const auto found = answer.column(column);
    if (!found) return "";
    return std::string(answer.cell(row, *found).value_or(""));
}

std::vector<sql_session> sessions_in(const rt::sql::rows& answer) {
    std::vector<sql_session> found;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        sql_session session;
        const std::string id = text_of(answer, row, "id");
        std::from_chars(id.data(), id.data() + id.size(), session.id);
        session.user = text_of(answer, row, "user");
        session.host = text_of(answer, row, "host");
        session.command = text_of(answer, row, "command");
        session.state = text_of(answer, row, "state");
        found.push_back(std::move(session));
    }
    return found;
}

// The server answered, and did not give what was asked for.
bool is_withheld(const rt::error& failure) noexcept {
    return failure.code == rt::errc::denied || failure.code == rt::errc::query;
}

}  // namespace

sql_reader::sql_reader(asio::any_io_executor executor, rt::sql::network& network,
                       const rt::sql::endpoint& where, permission may_act)
    : where_(where), may_act_(std::move(may_act)), link_(std::move(executor), network) {}

asio::awaitable<rt::result<void>> sql_reader::greet(int lock_wait, rt::deadline until) {
    auto done = co_await link_.open(where_, until);
    if (!done) co_return done;
    done = co_await link_.query(queries::identity_statement, answer_, until);
    if (!done) co_return done;
    auto identity = queries::parse_identity(answer_);
    if (!identity)
        co_return rt::error{rt::errc::protocol, 0,
                            where_.address() + " does not say which version it is"};
    identity_ = std::move(*identity);
    const std::string bounds = bound_own_session(identity_.kind, lock_wait);
    done = co_await link_.query(bounds, answer_, until);
    co_return done;
}

asio::awaitable<rt::result<sql_reading>> sql_reader::read(rt::deadline until) {
    sql_reading made;
    made.facts.kind = identity_.kind;
    made.facts.version = identity_.version;
    const auto statements = queries::statements_for(identity_.kind, identity_.version);
    auto asked = co_await link_.query(statements.fast, answer_, until);
    if (!asked) co_return asked.error();
    const auto understood = queries::read_fast(answer_, made.facts);
    if (!understood) co_return understood.error();
    const auto own = sql_statements_for(identity_.kind, identity_.version);
    asked = co_await link_.query(own.binlog_position, answer_, until);
    const bool lost = !asked && !is_withheld(asked.error());
    if (lost) co_return asked.error();
    if (asked && answer_.row_count() == 1)
        made.binlog = text_of(answer_, 0, "File") + ":" + text_of(answer_, 0, "Position");
    co_return made;
}

asio::awaitable<rt::result<std::optional<std::vector<sql_session>>>> sql_reader::read_sessions(
    rt::deadline until) {
    std::optional<std::vector<sql_session>> none;
    // As many sessions as any server takes; a longer list would end the connection.
    const rt::sql::answer_limits limits{64 << 20, 200'000};
    const auto asked = co_await link_.query(session_list_statement, answer_, until, limits);
    if (!asked && is_withheld(asked.error())) co_return none;
    if (!asked) co_return asked.error();
    const std::string privilege = text_of(answer_, 0, "process_privilege");
    if (privilege.empty() || privilege == "0") co_return none;
    co_return std::optional(sessions_in(answer_));
}

asio::awaitable<rt::result<std::optional<std::vector<std::string>>>>
sql_reader::read_bypass_accounts(rt::deadline until) {
    std::optional<std::vector<std::string>> none;
    const auto statements = queries::statements_for(identity_.kind, identity_.version);
    for (const auto& statement : statements.details) {
        if (statement.what != queries::detail::bypass_accounts) continue;
        const auto asked = co_await link_.query(statement.sql, answer_, until);
        if (!asked && is_withheld(asked.error())) co_return none;
        if (!asked) co_return asked.error();
        checks::server_details details;
        const auto understood = queries::read_detail(statement.what, answer_, details);
        if (!understood) co_return understood.error();
        co_return std::move(details.bypass_accounts);
    }
    co_return none;
}

asio::awaitable<std::string> sql_reader::read_hostname(rt::deadline until) {
    const auto asked = co_await link_.query("SELECT @@hostname AS name", answer_, until);
    if (!asked || answer_.row_count() != 1) co_return std::string();
    co_return text_of(answer_, 0, "name");
}

asio::awaitable<rt::result<std::vector<std::string>>> sql_reader::read_grants(rt::deadline until) {
    const auto asked = co_await link_.query("SHOW GRANTS", answer_, until);
    if (!asked) co_return asked.error();
    std::vector<std::string> lines;
    for (std::size_t row = 0; row < answer_.row_count(); ++row)
        lines.emplace_back(answer_.cell(row, 0).value_or(""));
    co_return lines;
}

asio::awaitable<rt::result<void>> sql_reader::ask(std::string_view statement, rt::sql::rows& answer,
                                                  rt::deadline until,
                                                  rt::sql::answer_limits limits) {
    co_return co_await link_.query(statement, answer, until, limits);
}

asio::awaitable<rt::result<void>> sql_reader::tell(std::string_view statement, rt::deadline until) {
    if (!allowed(may_act_)) co_return not_allowed_error();
    co_return co_await link_.query(statement, answer_, until);
}

}  // namespace primacy::fencing
