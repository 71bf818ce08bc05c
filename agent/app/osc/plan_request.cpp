#include "agent/app/osc/plan_request.hpp"

#include "agent/app/report/json_parts.hpp"
#include "agent/rt/offload.hpp"
#include "agent/rt/task_group.hpp"
#include "checks/words.hpp"
#include "osc/alter.hpp"
#include "osc/commands.hpp"
#include "osc/drivers/host_facts.hpp"
#include "osc/drivers/table_reader.hpp"
#include "osc/drivers/tool_probe.hpp"
#include "osc/grants.hpp"

#include <boost/asio/thread_pool.hpp>
#include <boost/json/array.hpp>

#include <algorithm>

namespace primacy::app {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

// A tool that only says its version: on a busy host Perl takes its time to start.
constexpr auto patience_with_tool = 15s;

const topology_config* topology_named(const config& settings, const std::string& name) {
    for (const auto& each : settings.topologies)
        if (each.name == name) return &each;
    return nullptr;
}

struct look_at_disk {
    osc::server_place place;
    std::optional<std::uint64_t> operator()() const { return osc::free_bytes_of(place); }
};

// All that runs at the same time; each task writes only its own part.
struct gathering {
    planning_parts parts;
    const topology_config& topology;
    osc::table_name table;
    std::string clauses;
    rt::deadline until;
    std::vector<osc::server_reading> readings;
    osc::tool_facts gh_ost, pt_osc;
    asio::thread_pool disks{1};

    gathering(planning_parts with, const topology_config& of, osc::table_name what,
              rt::deadline limit)
        : parts(std::move(with)), topology(of), table(std::move(what)), until(limit) {}
    ~gathering() { disks.join(); }

    void spawn_readings(rt::task_group& tasks, const std::string& writer) {
        readings.resize(topology.servers.size());
        for (std::size_t i = 0; i < topology.servers.size(); ++i) {
            // What stays if a reading does not come to its end.
            readings[i].side.name = topology.servers[i].name;
            readings[i].side.unreadable = "it was not read in time";
            const bool of_writer = topology.servers[i].name == writer;
            readings[i].side.is_writer = of_writer;
            tasks.spawn("read " + topology.servers[i].name, read(i, of_writer));
        }
    }

    // Each task has the deadline itself; this one is for what does not keep it.
    asio::awaitable<void> join(rt::task_group& tasks) const {
        auto ended =
            co_await tasks.join(rt::deadline::after(until.left() + patience_with_tool + 5s));
        if (ended) co_return;
        tasks.cancel();
        std::ignore = co_await tasks.join(rt::deadline::after(5s));
    }

    asio::awaitable<void> read(std::size_t index, bool of_writer) {
        const server_config& server = topology.servers[index];
        osc::reading_order order;
        order.server = server.name;
        order.where = endpoint_of(topology, server);
        order.table = table;
        order.of_writer = of_writer;
        order.alter_clauses = clauses;
        auto made =
            co_await osc::read_server(parts.executor, *parts.network, std::move(order), until);
        if (!made.side.unreadable && !made.side.disk_free_bytes)
            co_await look_for_disk(server, made);
        readings[index] = std::move(made);
    }

    asio::awaitable<void> look_for_disk(const server_config& server, osc::server_reading& made) {
        look_at_disk job;
        job.place.by_socket = !server.socket.empty();
        job.place.hostname = made.settings.hostname;
        job.place.datadir = made.settings.datadir;
        if (!job.place.by_socket) {
            auto found = co_await parts.network->names.resolve(server.host, until);
            if (!found) co_return;
            job.place.addresses = std::move(*found);
        }
        made.side.disk_free_bytes = co_await rt::offload(disks, std::move(job));
    }

    asio::awaitable<void> probe_gh_ost(std::string configured) {
        const auto limit = rt::deadline::after(patience_with_tool);
        gh_ost = co_await osc::probe_gh_ost(*parts.runner, std::move(configured), limit);
    }
    asio::awaitable<void> probe_pt_osc(std::string configured) {
        const auto limit = rt::deadline::after(patience_with_tool);
        pt_osc = co_await osc::probe_pt_osc(*parts.runner, std::move(configured), limit);
    }
};

// What the account lacks on the writer, for each tool.
void judge_grants(osc::facts& known, const osc::server_reading& writer,
                  const osc::job_spec& asked) {
    osc::grant_question question;
    question.kind = writer.side.kind;
    question.version = writer.side.version;
    question.account = writer.account;
    question.database = asked.table.database;
    question.log_bin = writer.side.log_bin;
    question.trusts_trigger_creators = writer.settings.trusts_trigger_creators;
    question.gh_ost_knows_mariadb = known.gh_ost.knows_mariadb;
    known.gh_ost.missing_grants = missing_for(osc::tool::gh_ost, writer.grants, question);
    known.pt_osc.missing_grants = missing_for(osc::tool::pt_osc, writer.grants, question);
    known.native_missing_grants = missing_for(osc::tool::native, writer.grants, question);
}

// A password that a tool cannot be given keeps it from working.
void judge_login(osc::facts& known, const topology_config& topology) {
    osc::tool_login login;
    login.user = topology.user;
    login.password = topology.password;
    for (auto [which, facts] :
         {std::pair{osc::tool::gh_ost, &known.gh_ost}, std::pair{osc::tool::pt_osc, &known.pt_osc}})
        if (facts->problem.empty()) facts->problem = osc::client_file_of(login, which).problem;
}

void note_leftovers(osc::facts& known, const std::vector<osc::server_reading>& readings,
                    const osc::job_spec& asked) {
    for (const auto& reading : readings) {
        for (const auto& each : osc::leftovers_of(asked.table, reading.objects))
            known.around.leftovers.push_back({each.what.server, each.what.name,
                                              each.what.is_trigger, each.what.comment,
                                              each.kind == osc::leftover_kind::old_data});
        auto& at_work = known.around.tools_at_work;
        at_work.insert(at_work.end(), reading.tools_at_work.begin(), reading.tools_at_work.end());
    }
}

osc::facts facts_of(gathering& in, const osc::job_spec& asked, const writer_view& who) {
    osc::facts known;
    known.table.name = asked.table;
    known.gh_ost = std::move(in.gh_ost);
    known.pt_osc = std::move(in.pt_osc);
    judge_login(known, in.topology);
    known.around.topology = in.topology.name;
    known.around.writer = who.writer;
    known.around.writer_unknown_because = who.unknown_because;
    known.around.split_brain = who.split_brain;
    known.around.maintenance = who.maintenance;
    note_leftovers(known, in.readings, asked);
    for (auto& reading : in.readings) {
        if (reading.side.is_writer) {
            judge_grants(known, reading, asked);
            known.table = std::move(reading.table);
            known.syntax_error = reading.syntax_error;
        }
        known.servers.push_back(std::move(reading.side));
    }
    if (in.parts.jobs) {
        jobs_in_the_way jobs = in.parts.jobs(asked);
        known.around.jobs_on_table = std::move(jobs.on_table);
        known.around.jobs_on_topology = std::move(jobs.on_topology);
    }
    return known;
}

}  // namespace

std::chrono::milliseconds patience_for_plan(const topology_config& topology) {
    return std::max<std::chrono::milliseconds>(5s, 4 * topology.probe_timeout);
}

writer_view writer_in(const json::object& topology) {
    writer_view made;
    const auto& split = json_parts::object_of(topology, "split_brain");
    made.split_brain =
        json_parts::flag_of(split, "suspected") || json_parts::flag_of(split, "confirmed");
    const auto* maintenance = topology.if_contains("maintenance");
    made.maintenance = maintenance && maintenance->is_object();
    const auto writers = json_parts::texts_of(topology, "writers");
    const std::string reason = json_parts::text_of(topology, "reason");
    const std::string state = json_parts::text_of(topology, "state");
    // Only a judgement that is sure of itself names a writer: "unknown" may hide a second one.
    const bool sure = state == "healthy" || state == "degraded";
    if (writers.size() > 1)
        made.unknown_because =
            made.split_brain
                ? reason
                : "several servers write (" + checks::words::list(writers) + "); a job needs one";
    else if (writers.empty() || !sure || made.split_brain)
        made.unknown_because = reason.empty() ? "nobody knows which server is the writer" : reason;
    else
        made.writer = writers.front();
    return made;
}

asio::awaitable<osc::facts> gather_facts(planning_parts parts, const config& settings,
                                         const osc::job_spec& asked, writer_view who,
                                         rt::deadline until) {
    const topology_config* topology = topology_named(settings, asked.topology);
    if (!topology) {
        osc::facts none;
        none.around.writer_unknown_because = "there is no topology " + asked.topology;
        co_return none;
    }
    const auto executor = parts.executor;
    gathering all(std::move(parts), *topology, asked.table, until);
    const osc::alter_request alter = osc::parse_alter(asked.alter);
    if (alter.problem.empty()) all.clauses = alter.clauses_text;
    rt::task_group tasks(executor);
    all.spawn_readings(tasks, who.writer);
    tasks.spawn("probe gh-ost", all.probe_gh_ost(settings.osc.gh_ost));
    tasks.spawn("probe pt-online-schema-change", all.probe_pt_osc(settings.osc.pt_osc));
    co_await all.join(tasks);
    co_return facts_of(all, asked, who);
}

asio::awaitable<std::vector<osc::server_reading>> read_servers(planning_parts parts,
                                                               const topology_config& topology,
                                                               osc::table_name table,
                                                               std::string writer,
                                                               rt::deadline until) {
    const auto executor = parts.executor;
    gathering all(std::move(parts), topology, std::move(table), until);
    rt::task_group tasks(executor);
    all.spawn_readings(tasks, writer);
    co_await all.join(tasks);
    co_return std::move(all.readings);
}

}  // namespace primacy::app
