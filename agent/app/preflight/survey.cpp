#include "agent/app/preflight/preflight.hpp"
#include "agent/rt/clock.hpp"
#include "agent/rt/sql/connection.hpp"
#include "agent/rt/sql/network.hpp"

namespace primacy::app {

namespace asio = boost::asio;
namespace queries = checks::queries;

namespace {

// Reads what one statement answers into the survey; the error, when there was one.
template <class Read>
asio::awaitable<std::optional<rt::error>> ask(rt::sql::connection& link, std::string_view statement,
                                              rt::deadline until, Read read) {
    rt::sql::rows answer;
    auto asked = co_await link.query(statement, answer, until);
    if (!asked) co_return asked.error();
    auto understood = read(answer);
    if (!understood) co_return understood.error();
    co_return std::nullopt;
}

std::string quoted_account(const rt::sql::rows& answer) {
    std::string text(answer.cell(0, 0).value_or(""));
    auto at = text.rfind('@');
    return at == text.npos ? text : "'" + text.substr(0, at) + "'@'" + text.substr(at + 1) + "'";
}

asio::awaitable<std::optional<rt::error>> introduce(rt::sql::connection& link, server_survey& found,
                                                    rt::deadline until) {
    auto failed = co_await ask(
        link, queries::identity_statement, until,
        [&](const rt::sql::rows& answer) -> rt::result<void> {
            auto who = queries::parse_identity(answer);
            if (!who)
                return rt::error{rt::errc::protocol, 0, "it does not say which version it is"};
            found.facts.kind = who->kind;
            found.facts.version = who->version;
            found.facts.version_text = who->version_text;
            found.facts.server_id = who->server_id;
            return {};
        });
    if (failed) co_return failed;
    co_return co_await ask(link, "SELECT CURRENT_USER()", until,
                           [&](const rt::sql::rows& answer) -> rt::result<void> {
                               found.account = quoted_account(answer);
                               return {};
                           });
}

}  // namespace

asio::awaitable<server_survey> survey(asio::any_io_executor executor, rt::sql::network& network,
                                      const topology_config& topology, const server_config& server,
                                      rt::deadline until) {
    server_survey found;
    found.name = server.name;
    found.address = server.address();
    rt::sql::connection link(executor, network);
    auto where = endpoint_of(topology, server);
    auto opened = co_await link.open(where, until);
    if (!opened) {
        found.connecting = opened.error();
        co_return found;
    }
    found.encrypted = link.encrypted();
    found.connecting = co_await introduce(link, found, until);
    if (found.connecting) co_return found;

    auto statements = queries::statements_for(found.facts.kind, found.facts.version);
    auto before = rt::wall_clock::now();
    found.fast = co_await ask(link, statements.fast, until, [&](const rt::sql::rows& answer) {
        return queries::read_fast(answer, found.facts);
    });
    auto middle = checks::wall_time(before + (rt::wall_clock::now() - before) / 2);
    if (found.facts.server_clock) found.facts.clock_ahead = *found.facts.server_clock - middle;
    found.replication =
        co_await ask(link, statements.replication, until, [&](const rt::sql::rows& answer) {
            return queries::read_replication(answer, found.facts);
        });
    for (const auto& statement : statements.details) {
        auto failed = co_await ask(link, statement.sql, until, [&](const rt::sql::rows& answer) {
            return queries::read_detail(statement.what, answer, found.facts.details);
        });
        if (failed) found.details.emplace(statement.what, *failed);
    }
    co_return found;
}

}  // namespace primacy::app
