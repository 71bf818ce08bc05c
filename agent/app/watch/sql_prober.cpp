#include "agent/app/watch/sql_prober.hpp"

#include "agent/app/watch/now.hpp"

#include <tuple>
#include <utility>

namespace primacy::app {

namespace asio = boost::asio;
namespace queries = checks::queries;
using checks::probe_failure;

probe_failure failure_of(rt::errc code) noexcept {
    switch (code) {
        case rt::errc::refused: return probe_failure::refused;
        case rt::errc::unreachable: return probe_failure::unreachable;
        case rt::errc::timeout: return probe_failure::timeout;
        case rt::errc::dns: return probe_failure::dns;
        case rt::errc::denied: return probe_failure::denied;
        case rt::errc::too_many_connections: return probe_failure::too_many_connections;
        case rt::errc::lost: return probe_failure::lost;
        case rt::errc::tls: return probe_failure::tls;
        case rt::errc::protocol:
        case rt::errc::limit: return probe_failure::protocol;
        case rt::errc::query: return probe_failure::query;
        default: return probe_failure::internal;
    }
}

namespace {

class sql_prober final : public prober {
public:
    sql_prober(asio::any_io_executor executor, rt::sql::network& network,
               sql_prober_options options)
        : options_(std::move(options)), link_(executor, network) {}

    asio::awaitable<probe_report> read(rt::deadline until) override;
    asio::awaitable<void> read_details(rt::deadline until) override;

private:
    asio::awaitable<rt::result<void>> greet(rt::deadline until);
    asio::awaitable<rt::result<void>> introduce(rt::deadline until);
    asio::awaitable<rt::result<bool>> still_hangs(std::uint64_t session, rt::deadline until);
    asio::awaitable<rt::result<void>> refuse_to_pile_up(rt::deadline until);
    asio::awaitable<rt::result<checks::server_facts>> read_facts(rt::deadline until);
    asio::awaitable<void> read_all_details(rt::deadline until);
    asio::awaitable<bool> read_one_detail(const queries::detail_statement& statement,
                                          rt::deadline until);

    sql_prober_options options_;
    rt::sql::connection link_;
    // One for each statement of every poll, so that their column names stay (see rows).
    rt::sql::rows fast_answer_, replication_answer_, answer_;
    std::optional<queries::identity> identity_;  // of the session that is open
    queries::statements statements_;
    checks::server_details details_;
    rt::time_point details_due_{};
    // Sessions that we gave up while they worked on a statement and that may still hang in the
    // server; 0 is none. Until one is gone its kind of statement is not sent again: a server whose
    // SHOW REPLICA STATUS hangs must not collect one more hanging session with each poll.
    std::uint64_t hanging_session_ = 0;
    std::uint64_t hanging_details_ = 0;
};

// Connects when there is no connection, and learns what kind of server it is.
asio::awaitable<rt::result<void>> sql_prober::greet(rt::deadline until) {
    if (link_.usable() && identity_) co_return rt::result<void>();
    identity_.reset();
    details_ = {};
    details_due_ = {};
    auto done = co_await link_.open(options_.where, until);
    if (done) done = co_await introduce(until);
    if (!done) link_.close();
    co_return done;
}

asio::awaitable<rt::result<void>> sql_prober::introduce(rt::deadline until) {
    auto asked = co_await link_.query(queries::identity_statement, answer_, until);
    if (!asked) co_return asked;
    auto identity = queries::parse_identity(answer_);
    if (!identity)
        co_return rt::error{rt::errc::protocol, 0,
                            options_.where.address() + " does not say which version it is"};
    // The server ends a session of ours that was silent for so long: an agent whose host vanished
    // leaves nothing behind. This concerns our own session only.
    std::string limit_own_session =
        "SET SESSION wait_timeout = " + std::to_string(options_.session_timeout.count());
    asked = co_await link_.query(limit_own_session, answer_, until);
    if (!asked) co_return asked;
    identity_ = std::move(*identity);
    statements_ = queries::statements_for(identity_->kind, identity_->version);
    co_return rt::result<void>();
}

asio::awaitable<rt::result<bool>> sql_prober::still_hangs(std::uint64_t session,
                                                          rt::deadline until) {
    std::string statement =
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE COMMAND = 'Query' AND "
        "ID <> CONNECTION_ID() AND ID = " +
        std::to_string(session);
    auto asked = co_await link_.query(statement, answer_, until);
    if (!asked) co_return asked.error();
    co_return answer_.row_count() == 1 && answer_.cell(0, 0).value_or("") != "0";
}

asio::awaitable<rt::result<void>> sql_prober::refuse_to_pile_up(rt::deadline until) {
    if (hanging_session_ == 0) co_return rt::result<void>();
    auto hangs = co_await still_hangs(hanging_session_, until);
    if (!hangs) co_return hangs.error();
    if (*hangs)
        co_return rt::error{rt::errc::timeout, 0,
                            options_.where.address() +
                                " is alive, but a statement of an earlier poll still hangs in its "
                                "session " +
                                std::to_string(hanging_session_)};
    hanging_session_ = 0;
    co_return rt::result<void>();
}

asio::awaitable<rt::result<checks::server_facts>> sql_prober::read_facts(rt::deadline until) {
    checks::server_facts facts;
    facts.kind = identity_->kind;
    facts.version = identity_->version;
    facts.version_text = identity_->version_text;
    auto before = rt::wall_clock::now();
    auto asked = co_await link_.query(statements_.fast, fast_answer_, until);
    auto middle = before + (rt::wall_clock::now() - before) / 2;
    if (!asked) co_return asked.error();
    auto understood = queries::read_fast(fast_answer_, facts);
    if (!understood) co_return understood.error();
    if (facts.server_clock)
        facts.clock_ahead = std::chrono::duration_cast<checks::duration>(*facts.server_clock -
                                                                         checks::wall_time(middle));

    asked = co_await link_.query(statements_.replication, replication_answer_, until);
    if (!asked) co_return asked.error();
    understood = queries::read_replication(replication_answer_, facts);
    if (!understood) co_return understood.error();
    co_return facts;
}

asio::awaitable<probe_report> sql_prober::read(rt::deadline until) {
    bool new_session = !link_.usable();
    auto done = co_await greet(until);
    if (done) done = co_await refuse_to_pile_up(until);
    rt::result<checks::server_facts> facts = rt::error{};
    if (done)
        facts = co_await read_facts(until);
    else
        facts = done.error();
    if (!facts) {
        bool gave_up = facts.error().code == rt::errc::timeout && identity_ && !link_.usable();
        if (gave_up) hanging_session_ = link_.session_id();
        co_return probe_report{failure_of(facts.error().code), facts.error().message, nullptr};
    }
    // A new session reads everything once before it reports, because a judgement without Galera's
    // facts would see a writer in each node; and a Galera node tells its state with each reading.
    // They get half of what is left: without them the reading is still a good one.
    rt::deadline half = rt::deadline::after(until.left() / 2);
    if (new_session)
        co_await read_all_details(half);
    else if (details_.galera && details_.galera->provider_on)
        co_await read_one_detail(statements_.details.front(), half);
    facts->details = details_;
    co_return probe_report{probe_failure::none, "",
                           std::make_shared<const checks::server_facts>(std::move(*facts))};
}

asio::awaitable<void> sql_prober::read_details(rt::deadline until) {
    if (link_.usable() && rt::steady_clock::now() >= details_due_) co_await read_all_details(until);
}

asio::awaitable<void> sql_prober::read_all_details(rt::deadline until) {
    details_due_ = rt::steady_clock::now() + options_.detail_interval;
    if (hanging_details_ != 0) {
        auto hangs = co_await still_hangs(hanging_details_, until);
        if (!hangs || *hangs) co_return;
        hanging_details_ = 0;
    }
    for (const auto& statement : statements_.details) {
        bool connected = co_await read_one_detail(statement, until);
        if (!connected) co_return;
    }
    details_.taken_at = boot_now();
}

// What an account may not read, what a server does not have, and an answer that makes no sense are
// all absent facts. False: the statement cost us the connection.
asio::awaitable<bool> sql_prober::read_one_detail(const queries::detail_statement& statement,
                                                  rt::deadline until) {
    auto asked = co_await link_.query(statement.sql, answer_, until);
    if (!asked) answer_.clear();
    std::ignore = queries::read_detail(statement.what, answer_, details_);
    if (!asked && asked.error().code == rt::errc::timeout) hanging_details_ = link_.session_id();
    co_return link_.usable();
}

}  // namespace

std::unique_ptr<prober> make_sql_prober(asio::any_io_executor executor, rt::sql::network& network,
                                        sql_prober_options options) {
    return std::make_unique<sql_prober>(std::move(executor), network, std::move(options));
}

}  // namespace primacy::app
