#include "fencing/drivers/detach.hpp"

#include "agent/rt/checkpoint.hpp"
#include "agent/rt/sql/connection.hpp"
#include "agent/rt/task_group.hpp"
#include "checks/queries/queries.hpp"
#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/isolating.hpp"
#include "fencing/drivers/program.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;
namespace queries = checks::queries;

namespace {

// Beyond the deadline that every await of a task has already.
constexpr std::chrono::seconds round_grace{2};

constexpr checks::server_version first_with_stop_replica{8, 0, 22};

bool same_text(std::string_view left, std::string_view right) {
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) ==
               std::tolower(static_cast<unsigned char>(b));
    });
}

bool stopped(const checks::channel& channel) {
    return channel.io == checks::io_thread::stopped && channel.sql == checks::sql_thread::stopped;
}

enum class what_to_do {
    stop,  // and look again
    look
};

// What became of one replica.
struct replica_end {
    std::optional<rt::error> failure;  // until it has ended well
    bool acted = false;                // a STOP was sent
    std::size_t stopped = 0;           // channels from the server that stand still
    std::size_t running = 0;           // and those that do not
};

// What the tasks of one call share; it lives as long as the last of them.
struct round_state {
    std::vector<replica_endpoint> replicas;
    std::vector<replica_end> ends;  // in the same order
    fence_target target;
    std::vector<std::string> addresses;  // of the target; empty until they are needed
    what_to_do what = what_to_do::look;
    permission may_act;
    rt::deadline until;
};

// One replica, step by step, on one connection.
class replica_session {
public:
    replica_session(asio::any_io_executor executor, rt::sql::network& network, round_state& round,
                    std::size_t index)
        : network_(network),
          link_(std::move(executor), network),
          round_(round),
          replica_(round.replicas[index]) {}

    asio::awaitable<rt::result<void>> open();
    // The channels that come from the target.
    asio::awaitable<rt::result<std::vector<checks::channel>>> read_channels();
    asio::awaitable<rt::result<void>> stop(std::string channel, bool& acted);

private:
    asio::awaitable<bool> comes_from_target(const checks::channel& channel);
    asio::awaitable<std::vector<std::string>> addresses_of(std::string host);

    rt::sql::network& network_;
    rt::sql::connection link_;
    round_state& round_;
    const replica_endpoint& replica_;
    rt::sql::rows answer_;
    queries::identity identity_;
    queries::statements statements_;
};

asio::awaitable<rt::result<void>> replica_session::open() {
    auto done = co_await link_.open(replica_.where, round_.until);
    if (!done) co_return done;
    done = co_await link_.query(queries::identity_statement, answer_, round_.until);
    if (!done) co_return done;
    auto identity = queries::parse_identity(answer_);
    if (!identity) co_return rt::error{rt::errc::protocol, 0, "does not say which version it is"};
    identity_ = std::move(*identity);
    statements_ = queries::statements_for(identity_.kind, identity_.version);
    co_return rt::result<void>();
}

asio::awaitable<std::vector<std::string>> replica_session::addresses_of(std::string host) {
    auto found = co_await network_.names.resolve(std::move(host), round_.until);
    if (!found) co_return std::vector<std::string>();
    co_return std::move(*found);
}

// A replica may name its source otherwise than the configuration does, so addresses decide where
// the texts differ.
asio::awaitable<bool> replica_session::comes_from_target(const checks::channel& channel) {
    const fence_target& target = round_.target;
    if (channel.source_port != target.port || channel.source_host.empty()) co_return false;
    if (same_text(channel.source_host, target.host)) co_return true;
    const auto source = co_await addresses_of(channel.source_host);
    const auto wanted = co_await addresses_of(target.host);
    co_return std::find_first_of(source.begin(), source.end(), wanted.begin(), wanted.end()) !=
        source.end();
}

asio::awaitable<rt::result<std::vector<checks::channel>>> replica_session::read_channels() {
    const auto asked = co_await link_.query(statements_.replication, answer_, round_.until);
    if (!asked) co_return asked.error();
    checks::server_facts facts;
    facts.kind = identity_.kind;
    facts.version = identity_.version;
    const auto understood = queries::read_replication(answer_, facts);
    if (!understood) co_return understood.error();
    std::vector<checks::channel> followed;
    for (const checks::channel& channel : facts.channels) {
        const bool ours = co_await comes_from_target(channel);
        if (ours) followed.push_back(channel);
    }
    co_return followed;
}

asio::awaitable<rt::result<void>> replica_session::stop(std::string channel, bool& acted) {
    const std::string statement = stop_statement(identity_.kind, identity_.version, channel);
    if (statement.empty())
        co_return rt::error{rt::errc::config, 0,
                            "has a channel whose name no statement can hold; stop it by hand"};
    if (!allowed(round_.may_act)) co_return not_allowed_error();
    const auto done = co_await link_.query(statement, answer_, round_.until);
    // What the server itself refused, it did not do.
    if (done || (done.error().code != rt::errc::query && done.error().code != rt::errc::denied))
        acted = true;
    co_return done;
}

asio::awaitable<rt::result<void>> stop_channels(asio::any_io_executor executor,
                                                rt::sql::network& network, round_state& round,
                                                std::size_t index) {
    replica_session session(std::move(executor), network, round, index);
    auto done = co_await session.open();
    if (!done) co_return done;
    const auto channels = co_await session.read_channels();
    if (!channels) co_return channels.error();
    for (const checks::channel& channel : *channels) {
        if (stopped(channel)) continue;
        rt::checkpoint("detach.stop_channel");
        done = co_await session.stop(channel.name, round.ends[index].acted);
        rt::checkpoint("detach.channel_stopped");
        if (!done) co_return done;
    }
    co_return rt::result<void>();
}

asio::awaitable<rt::result<void>> look_at_channels(asio::any_io_executor executor,
                                                   rt::sql::network& network, round_state& round,
                                                   std::size_t index) {
    replica_session session(std::move(executor), network, round, index);
    auto done = co_await session.open();
    if (!done) co_return done;
    const auto channels = co_await session.read_channels();
    if (!channels) co_return channels.error();
    replica_end& end = round.ends[index];
    end.stopped =
        static_cast<std::size_t>(std::count_if(channels->begin(), channels->end(), stopped));
    end.running = channels->size() - end.stopped;
    co_return rt::result<void>();
}

asio::awaitable<void> one_replica(asio::any_io_executor executor, rt::sql::network& network,
                                  std::shared_ptr<round_state> round, std::size_t index) {
    co_await asio::this_coro::throw_if_cancelled(false);
    rt::result<void> done;
    if (round->what == what_to_do::stop)
        done = co_await stop_channels(executor, network, *round, index);
    if (done) done = co_await look_at_channels(executor, network, *round, index);
    if (done)
        round->ends[index].failure.reset();
    else
        round->ends[index].failure = done.error();
}

class detach_driver final : public bounded_driver {
public:
    detach_driver(asio::any_io_executor executor, rt::sql::network& network, fence_target target,
                  detach_options options)
        : bounded_driver(options.timeout),
          executor_(std::move(executor)),
          network_(network),
          target_(std::move(target)),
          options_(std::move(options)) {
        if (target_.host.empty())
            problem_ = fmt::format(
                "server {} has no host by which its replicas could be found; "
                "give it one instead of a socket",
                target_.server);
    }

    std::string_view kind() const noexcept override { return "detach"; }

private:
    asio::awaitable<std::shared_ptr<round_state>> ask_all(what_to_do what, permission may_act,
                                                          rt::deadline until);
    asio::awaitable<rung_report> go_round(what_to_do what, permission may_act, rt::deadline until);
    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override {
        return go_round(what_to_do::stop, std::move(order.may_act), until);
    }
    asio::awaitable<rung_report> observe(fence_order order, rt::deadline until) override;
    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;
    rung_report report_on(const round_state& round) const;
    rung_report report_counts(const round_state& round) const;

    asio::any_io_executor executor_;
    rt::sql::network& network_;
    const fence_target target_;
    const detach_options options_;
    std::string problem_;
};

asio::awaitable<std::shared_ptr<round_state>> detach_driver::ask_all(what_to_do what,
                                                                     permission may_act,
                                                                     rt::deadline until) {
    auto round = std::make_shared<round_state>();
    round->replicas = options_.replicas;
    replica_end silent;
    silent.failure = rt::error{rt::errc::timeout, 0, "did not answer in time"};
    round->ends.assign(round->replicas.size(), silent);
    round->target = target_;
    round->what = what;
    round->may_act = std::move(may_act);
    round->until = until;
    rt::task_group replicas(executor_);
    for (std::size_t i = 0; i < round->replicas.size(); ++i)
        replicas.spawn(round->replicas[i].server, one_replica(executor_, network_, round, i));
    const rt::deadline limit{round->until.at + round_grace};
    const auto joined = co_await replicas.join(limit);
    static_cast<void>(joined);  // who has not ended is still `silent`
    co_return round;
}

rung_report detach_driver::report_counts(const round_state& round) const {
    std::size_t channels = 0;
    std::string following;
    std::string names;
    for (std::size_t i = 0; i < round.ends.size(); ++i) {
        const std::string& name = round.replicas[i].server;
        channels += round.ends[i].stopped;
        if (round.ends[i].running > 0) following += (following.empty() ? "" : ", ") + name;
        if (round.ends[i].stopped > 0) names += (names.empty() ? "" : ", ") + name;
    }
    rung_report report;
    if (!following.empty()) {
        report =
            report_of(round.what == what_to_do::look ? rung_outcome::failed : rung_outcome::unknown,
                      rung_failure::still_alive,
                      fmt::format("{} still replicates from {}", following, target_.server));
    } else {
        report = isolated_report(
            target_, names.empty() ? fmt::format("no replica follows {}", target_.server)
                                   : fmt::format("replication from {} stands still on {}",
                                                 target_.server, names));
    }
    report.facts = {{"detached", names}, {"detached_channels", std::to_string(channels)}};
    return report;
}

// One replica that cannot be read may be one that follows.
rung_report detach_driver::report_on(const round_state& round) const {
    const bool acted = std::any_of(round.ends.begin(), round.ends.end(),
                                   [](const replica_end& end) { return end.acted; });
    for (std::size_t i = 0; i < round.ends.size(); ++i) {
        if (!round.ends[i].failure) continue;
        rt::error failure = *round.ends[i].failure;
        failure.message = fmt::format("replica {}: {}", round.replicas[i].server, failure.message);
        rung_report report = error_report(failure, acted);
        report.facts = report_counts(round).facts;
        return report;
    }
    return report_counts(round);
}

asio::awaitable<rung_report> detach_driver::go_round(what_to_do what, permission may_act,
                                                     rt::deadline until) {
    if (!problem_.empty())
        co_return report_of(rung_outcome::failed, rung_failure::not_found, problem_);
    const auto round = co_await ask_all(what, std::move(may_act), until);
    co_return report_on(*round);
}

asio::awaitable<rung_report> detach_driver::observe(fence_order, rt::deadline until) {
    rung_report report = co_await go_round(what_to_do::look, permission(), until);
    co_return as_look(std::move(report));
}

asio::awaitable<rt::result<void>> detach_driver::ready(rt::deadline until) {
    if (!problem_.empty()) co_return rt::error{rt::errc::config, 0, problem_};
    const auto round = co_await ask_all(what_to_do::look, permission(), until);
    for (std::size_t i = 0; i < round->ends.size(); ++i) {
        if (!round->ends[i].failure) continue;
        rt::error failure = *round->ends[i].failure;
        failure.message = fmt::format("replica {}: {}", round->replicas[i].server, failure.message);
        co_return failure;
    }
    co_return rt::result<void>();
}

}  // namespace

std::string stop_statement(checks::flavor kind, checks::server_version version,
                           const std::string& channel) {
    // What a quote or a backslash means depends on the session's sql_mode.
    const bool plain = std::all_of(channel.begin(), channel.end(), [](unsigned char c) {
        return c >= ' ' && c != '\'' && c != '"' && c != '\\' && c != '`' && c != 0x7f;
    });
    if (!plain) return {};
    if (kind == checks::flavor::mariadb) return fmt::format("STOP SLAVE '{}'", channel);
    return fmt::format("STOP {} FOR CHANNEL '{}'",
                       version < first_with_stop_replica ? "SLAVE" : "REPLICA", channel);
}

std::unique_ptr<driver> make_detach_driver(asio::any_io_executor executor,
                                           rt::sql::network& network, fence_target target,
                                           detach_options options) {
    return std::make_unique<detach_driver>(std::move(executor), network, std::move(target),
                                           std::move(options));
}

}  // namespace primacy::fencing
