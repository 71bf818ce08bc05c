#include "fencing/drivers/servers_lease.hpp"

#include "agent/rt/checkpoint.hpp"
#include "agent/rt/clock.hpp"
#include "agent/rt/sql/network.hpp"
#include "agent/rt/task_group.hpp"

#include <boost/asio/this_coro.hpp>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;
using checks::moment;

namespace {

constexpr std::size_t longest_plain_name = 48;
constexpr std::size_t digest_bytes = 20;

moment boot_now() {
    return moment(rt::boot_clock::now().time_since_epoch());
}

// Timers run on another clock; a moment beyond its range is "never".
rt::time_point timer_time(moment when) {
    const auto now = boot_now();
    if (when - now > std::chrono::hours(1)) return rt::steady_clock::now() + std::chrono::hours(1);
    return rt::steady_clock::now() + (when - now);
}

double chance() {
    static thread_local std::mt19937 source{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(source);
}

lease_policy policy_of(const servers_lease_options& options) {
    lease_policy policy;
    for (const auto& voter : options.voters)
        policy.voters.push_back(voter.name);
    policy.ttl = options.ttl;
    return policy;
}

bool plain(const std::string& name) {
    return !name.empty() && name.size() <= longest_plain_name &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-.") == std::string::npos;
}

}  // namespace

std::string lease_lock_name(const std::string& topology) {
    if (plain(topology)) return "primacy/" + topology;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    ::EVP_Digest(topology.data(), topology.size(), digest.data(), nullptr, ::EVP_sha256(), nullptr);
    std::string name = "primacy/sha256-";
    for (std::size_t i = 0; i < digest_bytes; ++i) {
        name += "0123456789abcdef"[digest.at(i) >> 4U];
        name += "0123456789abcdef"[digest.at(i) & 15U];
    }
    return name;
}

struct servers_lease::voter_session {
    std::size_t number;
    rt::sql::connection link;
    rt::event changed;
    rt::sql::rows answer;

    voter_session(std::size_t which, asio::any_io_executor executor, rt::sql::network& network)
        : number(which), link(executor, network), changed(executor) {}
};

servers_lease::servers_lease(asio::any_io_executor executor, rt::sql::network& network,
                             servers_lease_options options)
    : executor_(executor),
      options_(std::move(options)),
      lock_("'" + lease_lock_name(options_.topology) + "'"),
      state_(policy_of(options_)),
      time_changed_(executor) {
    for (std::size_t i = 0; i < options_.voters.size(); ++i)
        sessions_.push_back(std::make_unique<voter_session>(i, executor, network));
}

servers_lease::~servers_lease() = default;

void servers_lease::request(bool wanted) {
    state_.want(wanted, boot_now());
    settle_changes();
}

servers_lease_view servers_lease::view() const {
    servers_lease_view seen;
    static_cast<lease_view&>(seen) = state_.view(boot_now());
    if (seen.held) seen.deadline = timer_time(seen.valid_until);
    return seen;
}

bool servers_lease::still_held(std::uint64_t epoch) const {
    const auto seen = state_.view(boot_now());
    return seen.held && seen.epoch == epoch;
}

// What one voter said may be news for every other one.
void servers_lease::settle_changes() {
    for (auto& session : sessions_)
        session->changed.notify();
    time_changed_.notify();
    if (on_change) on_change();
}

asio::awaitable<rt::result<void>> servers_lease::run() {
    if (options_.voters.empty())
        co_return rt::error{rt::errc::config, 0, "the lease has no voters; name servers"};
    if (options_.ttl < std::chrono::seconds(2))
        co_return rt::error{rt::errc::config, 0,
                            "lease.ttl is shorter than 2s; servers count whole seconds"};
    rt::task_group tasks(executor_);
    for (auto& session : sessions_)
        tasks.spawn("lease voter " + options_.voters[session->number].name, serve(*session));
    tasks.spawn("lease clock", keep_time());
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    // Being cancelled cancels the tasks; each ends within the deadline of its errand.
    const rt::deadline never{rt::time_point::max()};
    auto ended = co_await tasks.join(never);
    for (auto& session : sessions_)
        session->link.close();
    state_.want(false, boot_now());
    if (on_change) on_change();
    co_return ended;
}

// Changes that no voter's answer brings: the end of the lease, of a round, of a pause.
asio::awaitable<void> servers_lease::keep_time() {
    for (;;) {
        const auto now = boot_now();
        const auto before = state_.view(now);
        state_.pass_time(now, chance());
        const auto due = state_.next_change(now);
        if (state_.view(now) != before) settle_changes();
        const rt::deadline limit{timer_time(due)};
        co_await time_changed_.wait(limit);
    }
}

asio::awaitable<void> servers_lease::serve(voter_session& session) {
    for (;;) {
        const auto errand = state_.next(session.number, boot_now());
        if (errand.what == lease_task::wait) {
            const rt::deadline limit{timer_time(errand.until)};
            co_await session.changed.wait(limit);
            continue;
        }
        lease_report news;
        news.voter = session.number;
        news.sent = boot_now();
        const auto limit = rt::deadline::after(state_.policy().answer_limit());
        auto answer = co_await perform(session, errand.what, limit);
        if (answer) {
            news.answer = *answer;
        } else {
            // Whatever it was: a session that we do not understand is not one to rely on.
            news.answer = lease_answer::lost;
            news.why = answer.error().message;
            session.link.close();
        }
        news.answered = boot_now();
        state_.report(news, chance());
        settle_changes();
    }
}

asio::awaitable<rt::result<void>> servers_lease::open(voter_session& session, rt::deadline until) {
    auto done = co_await session.link.open(options_.voters[session.number].where, until);
    if (!done) co_return done;
    // The server ends the session when it has heard nothing for so long, and frees the lock.
    const std::string statement =
        "SET SESSION wait_timeout = " + std::to_string(options_.ttl.count());
    done = co_await session.link.query(statement, session.answer, until);
    co_return done;
}

asio::awaitable<rt::result<lease_answer>> servers_lease::perform(voter_session& session,
                                                                 lease_task what,
                                                                 rt::deadline until) {
    if (what == lease_task::close) {
        session.link.close();
        co_return lease_answer::lost;
    }
    if (what == lease_task::connect) {
        auto opened = co_await open(session, until);
        if (!opened) co_return opened.error();
        co_return lease_answer::connected;
    }
    // Each answers 1 for the good case.
    std::string statement;
    if (what == lease_task::look) statement = "SELECT IS_FREE_LOCK(" + lock_ + ")";
    if (what == lease_task::take) statement = "SELECT GET_LOCK(" + lock_ + ", 0)";
    if (what == lease_task::ping)
        statement = "SELECT IS_USED_LOCK(" + lock_ + ") = CONNECTION_ID()";
    if (what == lease_task::take) rt::checkpoint("lease.take");
    auto asked = co_await session.link.query(statement, session.answer, until);
    if (what == lease_task::take) rt::checkpoint("lease.take_answered");
    if (!asked) co_return asked.error();
    const bool yes = session.answer.row_count() == 1 && session.answer.cell(0, 0) == "1";
    if (!yes) co_return lease_answer::taken;
    co_return what == lease_task::look ? lease_answer::free : lease_answer::ours;
}

}  // namespace primacy::fencing
