// Any bytes as a configuration file: a configuration or problems with sane positions, never a
// crash; and what was accepted can be described and keeps its promises.
#include "agent/app/config/config.hpp"
#include "agent/app/config/explain.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

using namespace primacy::app;

namespace {

void demand(bool promise) {
    if (!promise) std::abort();
}

void check_positions(const std::vector<config_problem>& problems, std::string_view text) {
    const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    std::size_t before = 0;
    for (const config_problem& problem : problems) {
        demand(problem.line >= std::max<std::size_t>(before, 1) && problem.line <= lines);
        demand(problem.column >= 1 && problem.column <= text.size() + 1);
        demand(!problem.message.empty());
        demand(problem.message.find_first_of("\n\x1B") == std::string::npos);
        before = problem.line;
    }
}

void check_topology(const topology_config& topology) {
    demand(!topology.name.empty() && !topology.servers.empty());
    demand(topology.poll_interval.count() >= 100 && topology.probe_timeout.count() >= 50);
    demand(topology.confirm_polls >= 1 && topology.confirm_for.count() >= 0);
    demand(topology.expected_writers >= 1 &&
           static_cast<std::size_t>(topology.expected_writers) <= topology.servers.size());
    std::set<std::string> names;
    for (const server_config& server : topology.servers) {
        demand(!server.name.empty() && names.insert(server.name).second);
        demand(server.host.empty() != server.socket.empty());
        demand(server.port != 0 && !server.fence.empty());
    }
    demand(topology.fencing.pin.empty() || names.contains(topology.fencing.pin));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const config_outcome outcome = parse(text, "/etc/primacy/primacy.toml", files::ignore);
    check_positions(outcome.problems, text);
    check_positions(outcome.warnings, text);
    if (!outcome.ok()) return 0;
    demand(!outcome.value.topologies.empty() && !outcome.value.agent.name.empty());
    for (const topology_config& topology : outcome.value.topologies)
        check_topology(topology);
    demand(!describe(outcome.value).empty());
    return 0;
}
