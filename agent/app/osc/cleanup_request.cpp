#include "agent/app/osc/cleanup_request.hpp"

#include "agent/app/report/json_parts.hpp"
#include "agent/app/watch/now.hpp"
#include "checks/words.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace primacy::app {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;
using json_parts::object_of;
using json_parts::text_of;

namespace {

// To drop a large table takes the server a while.
constexpr auto patience_with_drops = 10min;

bool allows(const cleanup_request& asked, const std::string& code) {
    return std::find(asked.allow.begin(), asked.allow.end(), code) != asked.allow.end();
}

}  // namespace

std::vector<osc::job_trace> traces_in(const json::object& jobs, const std::string& topology,
                                      const osc::table_name& table) {
    std::vector<osc::job_trace> made;
    const auto* all = jobs.if_contains("jobs");
    if (!all || !all->is_array()) return made;
    for (const auto& each : all->as_array()) {
        if (!each.is_object()) continue;
        const json::object& job = each.as_object();
        const json::object& spec = object_of(job, "spec");
        const osc::table_name of{text_of(spec, "database"), text_of(spec, "table")};
        if (of != table || text_of(spec, "topology") != topology) continue;
        const bool over = json_parts::flag_of(job, "over");
        auto started = json_parts::time_of(job, "started_at");
        auto ended = json_parts::time_of(job, "ended_at");
        // One that ended before it began made nothing.
        if (over && !(started && ended)) continue;
        osc::job_trace trace;
        if (started) trace.started_at = *started;
        if (over) trace.ended_at = *ended;
        made.push_back(trace);
    }
    return made;
}

asio::awaitable<cleanup_view> look_for_leftovers(planning_parts parts, const config& settings,
                                                 const topology_config& topology,
                                                 cleanup_request asked, writer_view who) {
    cleanup_view made;
    made.writer = who.writer;
    made.unknown_because = who.unknown_because;
    auto readings = co_await read_servers(std::move(parts), topology, asked.table, who.writer,
                                          rt::deadline::after(patience_for_plan(topology)));
    osc::cleanup_policy policy;
    policy.writer = who.writer;
    policy.may_be_unreadable = allows(asked, "server_unknown");
    policy.tool_has_ended = allows(asked, "tool_unseen");
    policy.drop_old_data = asked.drop_old;
    policy.keep_old = settings.osc.keep_old;
    policy.jobs = std::move(asked.jobs);
    policy.named = std::move(asked.also);
    std::vector<osc::listed_object> objects;
    for (const auto& reading : readings) {
        const auto& side = reading.side;
        if (side.unreadable)
            made.unread.push_back(side.name + " cannot be read: " + *side.unreadable);
        made.unread.insert(made.unread.end(), side.unread.begin(), side.unread.end());
        if (side.unreadable || !side.unread.empty()) policy.unreadable.push_back(side.name);
        made.at_work.insert(made.at_work.end(), reading.tools_at_work.begin(),
                            reading.tools_at_work.end());
        objects.insert(objects.end(), reading.objects.begin(), reading.objects.end());
    }
    if (!made.at_work.empty()) policy.tool_at_work = checks::words::list(made.at_work);
    made.lines = osc::plan_cleanup(osc::leftovers_of(asked.table, objects), policy, wall_now());
    co_return made;
}

asio::awaitable<std::vector<osc::drop_outcome>> carry_out(planning_parts parts,
                                                          const topology_config& topology,
                                                          cleanup_view found) {
    std::vector<osc::drop_order> orders;
    for (const auto& server : topology.servers) {
        osc::drop_order order;
        order.server = server.name;
        order.where = endpoint_of(topology, server);
        order.on_writer = server.name == found.writer;
        for (const auto& line : found.lines)
            if (line.drop && line.through == server.name && line.what.what.server == server.name)
                order.statements.push_back(line.statement);
        orders.push_back(std::move(order));
    }
    std::stable_partition(orders.begin(), orders.end(),
                          [](const osc::drop_order& each) { return each.on_writer; });
    std::vector<osc::drop_outcome> made;
    for (auto& order : orders) {
        auto outcomes = co_await osc::run_drops(parts.executor, *parts.network, std::move(order),
                                                rt::deadline::after(patience_with_drops));
        made.insert(made.end(), outcomes.begin(), outcomes.end());
    }
    co_return made;
}

}  // namespace primacy::app
