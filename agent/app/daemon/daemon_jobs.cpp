// What the agent gives to schema changes: its view of the topologies, its servers, its page.
#include "agent/app/daemon/daemon.hpp"

namespace primacy::app {

namespace {

// Where the agent's own /check answers without TLS and passwords, which gh-ost cannot do; empty:
// nowhere. A listener on all addresses is asked on the loopback one.
std::string check_url_of(const agent_config& agent) {
    if (agent.web) return "";
    auto colon = agent.listen.rfind(':');
    std::string host = agent.listen.substr(0, colon), port = agent.listen.substr(colon + 1);
    if (host.empty() || host == "0.0.0.0" || host == "[::]") host = "127.0.0.1";
    return "http://" + host + ":" + port + "/check/";
}

}  // namespace

job_desk::services daemon::job_services() {
    job_desk::services with;
    with.executor = loop_.get_executor();
    with.disk = &disk_pool_;
    with.runner = &runner_;
    with.network = &network_;
    with.settings = [this]() -> const config& { return settings_; };
    with.topology = [this](const std::string& name) -> std::shared_ptr<const topology_snapshot> {
        auto found = judged_.find(name);
        return found == judged_.end() ? nullptr : found->second.newest;
    };
    with.is_fenced = [this](const std::string& topology, const std::string& server) {
        auto found = topologies_.find(topology);
        if (found == topologies_.end()) return false;
        auto view = found->second->guardian().view();
        auto record = view->state.servers.find(server);
        return view->state.in_progress(server) ||
               (record != view->state.servers.end() && view->state.quarantined(server));
    };
    with.in_maintenance = [this](const std::string& topology) {
        auto found = topologies_.find(topology);
        return found != topologies_.end() && found->second->guardian().view()->in_maintenance;
    };
    with.check_url = check_url_of(settings_.agent);
    return with;
}

}  // namespace primacy::app
