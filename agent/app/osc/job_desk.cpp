#include "agent/app/osc/job_desk.hpp"

#include "agent/app/watch/now.hpp"
#include "agent/rt/log.hpp"
#include "osc/drivers/gh_ost.hpp"
#include "osc/drivers/native.hpp"
#include "osc/drivers/pt_osc.hpp"
#include "osc/inspection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto shown_after_the_end = 24h;  // in the metrics
constexpr auto patience_with_writer = 2s;
constexpr auto old_transaction = 5s;  // older ones hold up a swap
// Of gh-ost as a replica: a range of its own, which the watch leaves out of the topology.
constexpr std::uint32_t first_server_id = 3'990'000'000;
constexpr std::uint32_t server_ids = 10'000'000;

std::string own_program() {
    std::error_code failed;
    std::string path = std::filesystem::read_symlink("/proc/self/exe", failed).string();
    // After an upgrade the file of that name is the new version, which understands the old jobs.
    constexpr std::string_view replaced = " (deleted)";
    if (path.ends_with(replaced)) path.resize(path.size() - replaced.size());
    return failed ? "primacy" : path;
}

osc::tool_login login_of(const rt::sql::endpoint& where) {
    osc::tool_login made;
    made.host = where.socket.empty() ? where.host : "";
    made.port = where.port;
    made.socket = where.socket;
    made.user = where.user;
    made.password = where.password;
    made.tls = where.tls.mode == rt::sql::tls_mode::required ||
               where.tls.mode == rt::sql::tls_mode::verify;
    made.tls_verify = where.tls.mode == rt::sql::tls_mode::verify;
    made.tls_ca = where.tls.ca;
    made.tls_cert = where.tls.cert;
    made.tls_key = where.tls.key;
    return made;
}

const server_config* server_of(const topology_config& topology, const std::string& name) {
    for (const auto& each : topology.servers)
        if (each.name == name) return &each;
    return nullptr;
}

// From what every server said to what the state machine wants to know.
rt::result<osc::database_view> view_of(const osc::job_record& job,
                                       const std::vector<osc::server_reading>& readings) {
    osc::table_facts table;
    std::vector<osc::listed_object> objects;
    std::vector<std::string> unreadable;
    std::string why_not = job.writer + " is not configured any more";
    for (const auto& reading : readings) {
        if (reading.side.unreadable) unreadable.push_back(reading.side.name);
        objects.insert(objects.end(), reading.objects.begin(), reading.objects.end());
        if (!reading.side.is_writer) continue;
        why_not = reading.side.unreadable.value_or("");
        for (const auto& each : reading.table.unread)
            why_not = each;
        table = reading.table;
    }
    if (!why_not.empty()) return rt::error{rt::errc::query, 0, job.writer + ": " + why_not};
    auto view = osc::inspect_job(job, table, objects, std::move(unreadable));
    if (view) return std::move(*view);
    return rt::error{rt::errc::query, 0,
                     job.writer +
                         " does not show how the table is defined, or it was not known "
                         "before"};
}

// How far a replica is behind; of several channels the worst counts.
osc::throttle_lag lag_of(const topology_snapshot& now, std::size_t server) {
    osc::throttle_lag made{now.seen.servers[server].name, std::nullopt, ""};
    const auto& member = now.verdict.graph.members[server];
    if (!member.known()) {
        made.unknown_because = member.why_unknown;
        return made;
    }
    const auto& facts = *now.seen.servers[server].last_good.facts;
    double worst = 0;
    for (const auto& channel : facts.channels) {
        if (!channel.replicating() || !channel.lag_seconds) {
            made.unknown_because = "it does not replicate";
            return made;
        }
        worst = std::max(worst, *channel.lag_seconds - channel.delay_seconds);
    }
    if (facts.channels.empty())
        made.unknown_because = "it replicates from nobody";
    else
        made.seconds = std::max(0.0, worst);
    return made;
}

}  // namespace

job_desk::job_desk(services with)
    : with_(std::move(with)),
      store_(with_.settings().agent.state_dir + "/osc"),
      tasks_(with_.executor),
      random_(std::random_device{}()) {}

std::vector<std::string> job_desk::open() {
    stored_jobs stored = store_.load();
    for (auto& job : stored.jobs) {
        if (osc::is_over(job.state)) {
            if (auto done = store_.forget_password(job.id); !done)
                stored.troubles.push_back(done.error().message);
            over_.push_back(std::move(job));
        } else {
            keep(std::move(job));
        }
    }
    return std::move(stored.troubles);
}

void job_desk::keep(osc::job_record job) {
    const std::string id = job.id;
    auto with = services_of(job);
    auto keeper = std::make_unique<job_keeper>(std::move(job), std::move(with));
    tasks_.spawn(id, keeper->run());
    keepers_[id] = std::move(keeper);
    order_.push_back(id);
}

asio::awaitable<void> job_desk::run() {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    asio::steady_timer idle(with_.executor, rt::time_point::max());
    std::ignore = co_await idle.async_wait(asio::as_tuple(asio::use_awaitable));
    co_await asio::this_coro::reset_cancellation_state();
    tasks_.cancel();
    std::ignore = co_await tasks_.join(rt::deadline::after(10s));
}

job_keeper::services job_desk::services_of(const osc::job_record& of) {
    job_keeper::services made;
    made.executor = with_.executor;
    made.disk = with_.disk;
    made.runner = with_.runner;
    made.store = &store_;
    made.own_program = own_program();
    made.log_dir = with_.settings().osc.log_dir;
    made.topology = [this](const osc::job_record& job) { return topology_view_of(job); };
    made.throttle = [this](const osc::job_record& job) { return throttle_input_of(job); };
    made.queue = [this](const osc::job_record& job) {
        return osc::queue_of(job.id, queue(), with_.settings().osc.max_running);
    };
    made.loads = [this](osc::job_record job) { return loads_of(std::move(job)); };
    made.long_transaction = [this](osc::job_record job) {
        return long_transaction_of(std::move(job));
    };
    made.plan = [this, id = of.id](osc::job_spec spec) { return plan(std::move(spec), id); };
    made.inspect = [this](osc::job_record job) { return inspect(std::move(job)); };
    made.make_driver = [this](const osc::job_record& job, const osc::plan* plan) {
        return make_driver(job, plan);
    };
    return made;
}

const topology_config* job_desk::topology_of(const osc::job_record& job) const {
    for (const auto& each : with_.settings().topologies)
        if (each.name == job.spec.topology) return &each;
    return nullptr;
}

osc::topology_view job_desk::topology_view_of(const osc::job_record& job) const {
    osc::topology_view made;
    auto now = with_.topology(job.spec.topology);
    if (!now) return made;
    const auto& split = now->verdict.next.split;
    made.split_brain = split.suspected || split.confirmed;
    made.writer_known = !made.split_brain && now->verdict.writers.size() == 1;
    if (made.writer_known) made.writer = now->verdict.writers.front();
    made.writer_is_fenced = with_.is_fenced(job.spec.topology, job.writer);
    made.maintenance = with_.in_maintenance(job.spec.topology);
    return made;
}

osc::throttle_input job_desk::throttle_input_of(const osc::job_record& job) const {
    osc::throttle_input made;
    made.at = boot_now();
    made.paused_by_user = job.wanted.pause;
    made.maintenance = with_.in_maintenance(job.spec.topology);
    made.window_closed = !osc::inside_window(job.spec.window, wall_now(), {});
    auto now = with_.topology(job.spec.topology);
    auto view = topology_view_of(job);
    if (now && now->verdict.next.split.confirmed)
        made.writer = osc::writer_sight::split_brain_confirmed;
    else if (view.split_brain)
        made.writer = osc::writer_sight::split_brain_suspected;
    else if (view.writer_known)
        made.writer = osc::writer_sight::clear;
    if (!now) return made;
    for (std::size_t i = 0; i < now->seen.servers.size(); ++i) {
        const auto& name = now->seen.servers[i].name;
        const auto& replicas = job.replicas;
        if (std::find(replicas.begin(), replicas.end(), name) != replicas.end())
            made.lags.push_back(lag_of(*now, i));
    }
    return made;
}

std::vector<osc::queued_job> job_desk::queue() const {
    std::vector<osc::queued_job> made;
    for (const auto& id : order_) {
        const auto& keeper = *keepers_.at(id);
        const auto& job = keeper.job();
        made.push_back(
            {id, job.spec.topology, keeper.heading(), job.which, job.progress.copy_done});
    }
    return made;
}

osc::writer_questions* job_desk::questions_to_writer_of(const osc::job_record& job) {
    const topology_config* topology = topology_of(job);
    const server_config* server = topology ? server_of(*topology, job.writer) : nullptr;
    if (!server) return nullptr;
    auto& made = questions_[{topology->name, server->name}];
    if (!made)
        made = std::make_unique<osc::writer_questions>(with_.executor, *with_.network,
                                                       endpoint_of(*topology, *server));
    return made.get();
}

asio::awaitable<std::vector<osc::throttle_load>> job_desk::loads_of(osc::job_record job) {
    auto* questions = questions_to_writer_of(job);
    if (!questions || job.spec.max_load.empty()) co_return std::vector<osc::throttle_load>();
    co_return co_await questions->loads(job.spec.max_load,
                                        rt::deadline::after(patience_with_writer));
}

asio::awaitable<std::string> job_desk::long_transaction_of(osc::job_record job) {
    auto* questions = questions_to_writer_of(job);
    if (!questions) co_return "";
    co_return co_await questions->long_transaction(old_transaction,
                                                   rt::deadline::after(patience_with_writer));
}

std::unique_ptr<osc::tool_driver> job_desk::make_driver(const osc::job_record& job,
                                                        const osc::plan* made) const {
    osc::job_record begun = job;
    osc::tool which = made && made->chosen ? *made->chosen : job.which;
    if (made) {
        begun.algorithm = made->algorithm;
        begun.writer = made->writer;
        begun.progress.estimated = made->expected.rows.value_or(0);
    }
    osc::job_files files(store_.folder_of(job.id), with_.settings().osc.log_dir + "/" + job.id);
    osc::tool_login login;
    const topology_config* topology = topology_of(job);
    const server_config* server = topology ? server_of(*topology, begun.writer) : nullptr;
    if (server) login = login_of(endpoint_of(*topology, *server));
    osc::tool_facts tool = made ? made->with : osc::tool_facts{};
    switch (which) {
        case osc::tool::gh_ost: {
            osc::server_side writer;
            if (made) writer = made->writer_side;
            const std::string url = with_.check_url.empty() ? "" : with_.check_url + job.id;
            return osc::make_gh_ost_driver(with_.executor,
                                           {std::move(begun), std::move(tool), std::move(writer),
                                            std::move(login), std::move(files), url});
        }
        case osc::tool::pt_osc:
            return osc::make_pt_osc_driver(
                {std::move(begun), std::move(tool), std::move(login), std::move(files)});
        case osc::tool::native: break;
    }
    return osc::make_native_driver({std::move(begun),
                                    made ? made->writer_side.kind : checks::flavor::mariadb,
                                    own_program(), with_.settings().path, std::move(files)});
}

ask_for_jobs job_desk::jobs_before(const std::string& id) const {
    return [this, id](const osc::job_spec& spec) { return jobs_in_the_way_of(spec, id); };
}

jobs_in_the_way job_desk::jobs_in_the_way_of(const osc::job_spec& spec,
                                             const std::string& id) const {
    jobs_in_the_way made;
    for (const auto& each : order_) {
        const auto& job = keepers_.at(each)->job();
        if (each == id || osc::is_over(job.state) || job.spec.topology != spec.topology) continue;
        if (job.spec.table == spec.table) made.on_table.push_back(each);
        if (job.which != osc::tool::native) made.on_topology.push_back(each);
    }
    return made;
}

asio::awaitable<rt::result<osc::plan>> job_desk::plan(osc::job_spec spec, std::string id) {
    osc::job_record about;
    about.spec = spec;
    const topology_config* topology = topology_of(about);
    auto now = with_.topology(spec.topology);
    if (!topology || !now)
        co_return rt::error{rt::errc::usage, 0,
                            "the agent does not watch " + spec.topology + ", or not yet"};
    const auto view = topology_view_of(about);
    writer_view who;
    who.writer = view.writer;
    if (!view.writer_known) who.unknown_because = now->verdict.reason;
    who.split_brain = view.split_brain;
    who.maintenance = view.maintenance;
    planning_parts parts{with_.executor, with_.network, with_.runner, {}};
    parts.jobs = jobs_before(id);
    auto known = co_await gather_facts(std::move(parts), with_.settings(), spec, std::move(who),
                                       rt::deadline::after(patience_for_plan(*topology)));
    co_return osc::plan_change(spec, known);
}

asio::awaitable<rt::result<osc::database_view>> job_desk::inspect(osc::job_record job) {
    const topology_config* topology = topology_of(job);
    if (!topology)
        co_return rt::error{rt::errc::usage, 0, job.spec.topology + " is not configured any more"};
    planning_parts parts{with_.executor, with_.network, with_.runner, {}};
    auto readings = co_await read_servers(std::move(parts), *topology, job.spec.table, job.writer,
                                          rt::deadline::after(patience_for_plan(*topology)));
    co_return view_of(job, readings);
}

// "orders-3f9c": the table, so that a person knows it, and four digits.
std::string job_desk::new_id(const osc::job_spec& spec) {
    std::string stem;
    for (char c : spec.table.table) {
        const bool letter = c >= 'a' && c <= 'z', capital = c >= 'A' && c <= 'Z';
        const bool digit = c >= '0' && c <= '9';
        if (letter || digit) stem += c;
        if (capital) stem += static_cast<char>(c - 'A' + 'a');
        if (stem.size() == 20) break;
    }
    if (stem.empty()) stem = "table";
    for (;;) {
        char digits[8];
        std::snprintf(digits, sizeof digits, "-%04x", static_cast<unsigned>(random_() & 0xffff));
        std::string id = stem + digits;
        if (!job(id)) return id;
    }
}

asio::awaitable<rt::result<osc::job_record>> job_desk::submit(job_submission asked) {
    auto made = co_await plan(asked.spec, "");
    if (!made) co_return made.error();
    std::string reasons;
    for (const auto& each : made->refusals)
        reasons += (reasons.empty() ? "" : "\n") + each.reason +
                   (each.may_be_allowed ? " (--allow " + each.code + ")" : "");
    if (!made->may_run()) co_return rt::error{rt::errc::usage, 0, "refused: " + reasons};
    osc::job_record job;
    job.id = new_id(asked.spec);
    job.spec = std::move(asked.spec);
    job.asked_by = std::move(asked.by);
    job.reason = std::move(asked.reason);
    job.created_at = job.last_activity_at = wall_now();
    job.sentence = "waits for its turn";
    job.which = *made->chosen;
    job.writer = made->writer;
    job.replicas = made->replicas;
    job.replica_server_id = first_server_id + static_cast<std::uint32_t>(random_() % server_ids);
    job.progress.estimated = made->expected.rows.value_or(0);
    auto saved = store_.save(job);
    if (!saved) co_return saved.error();
    rt::log(rt::log_level::info, "osc",
            job.id + ": " + osc::readable(job.spec.table) + " is to be altered by " +
                std::string(osc::to_string(job.which)) + " (" + job.asked_by + ")",
            {{"osc_job", job.id}, {"topology", job.spec.topology}});
    keep(job);
    co_return job;
}

rt::result<std::string> job_desk::take(const std::string& id, job_wish wish,
                                       const std::string& by) {
    auto found = keepers_.find(id);
    if (found == keepers_.end())
        return rt::error{rt::errc::usage, 0,
                         job(id) ? id + " is over" : "there is no job " + id + "; see osc list"};
    return found->second->take(wish, by);
}

std::vector<osc::job_record> job_desk::jobs() const {
    std::vector<osc::job_record> made = over_;
    for (const auto& id : order_)
        made.push_back(keepers_.at(id)->job());
    return made;
}

std::optional<osc::job_record> job_desk::job(const std::string& id) const {
    if (auto found = keepers_.find(id); found != keepers_.end()) return found->second->job();
    for (const auto& each : over_)
        if (each.id == id) return each;
    return std::nullopt;
}

std::vector<job_view> job_desk::views() const {
    std::vector<job_view> made;
    const auto now = wall_now();
    for (auto& job : jobs()) {
        if (osc::is_over(job.state) && now - job.ended_at > shown_after_the_end) continue;
        job_view view;
        view.throttled = !osc::is_over(job.state) && !check(job.id).go();
        double worst = 0;
        bool known = true;
        for (const auto& lag : throttle_input_of(job).lags) {
            known = known && lag.seconds.has_value();
            worst = std::max(worst, lag.seconds.value_or(0));
        }
        if (known) view.lag_seconds = worst;
        view.job = std::move(job);
        made.push_back(std::move(view));
    }
    return made;
}

osc::throttle_answer job_desk::check(const std::string& id) const {
    auto found = keepers_.find(id);
    if (found != keepers_.end() && !osc::is_over(found->second->job().state))
        return found->second->throttle();
    osc::throttle_state none;
    osc::throttle_input input;
    input.job_exists = false;
    return osc::decide_throttle(input, {}, none);
}

}  // namespace primacy::app
