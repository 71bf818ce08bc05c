#include "agent/app/metrics/layout.hpp"

namespace primacy::app::metrics {

namespace {

double up(const server_entry& server) {
    return server.known();
}

// Only a fresh reading makes a writer: what an unknown server was before must not look like one.
double writable(const server_entry& server) {
    return server.known() && *server.now->may_write;
}

void info(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers) {
            std::string flavor = "unknown", version = "unknown", id = "unknown";
            if (const auto* facts = server.facts) {
                flavor = checks::to_string(facts->kind);
                version = std::to_string(facts->version.major) + "." +
                          std::to_string(facts->version.minor) + "." +
                          std::to_string(facts->version.patch);
                id = std::to_string(facts->server_id);
            }
            std::string labels = server.labels;
            add_label(labels, "address", server.address);
            add_label(labels, "flavor", flavor);
            add_label(labels, "version", version);
            add_label(labels, "server_id", id);
            to.sample(labels, 1);
        }
}

void role(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers) {
            auto has = server.now ? server.now->role : checks::server_role::unknown;
            for (auto one : checks::all_server_roles()) {
                std::string labels = server.labels;
                add_label(labels, "role", checks::to_string(one));
                to.sample(labels, one == has);
            }
        }
}

void last_seen(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers) {
            bool ever = server.view && server.view->last_good.good();
            // The reading's moment is one of the boot clock; the judgement's is known in both.
            to.sample(server.labels, ever ? unix_seconds(topology.from->judged_at -
                                                         (topology.from->seen.at -
                                                          server.view->last_good.finished_at))
                                          : 0);
        }
}

const checks::server_details* details(const server_entry& server) {
    return server.facts ? &server.facts->details : nullptr;
}

double bypass_accounts(const server_entry& server) {
    const auto* read = details(server);
    return read && read->bypass_accounts ? static_cast<double>(read->bypass_accounts->size()) : 0;
}

double bypass_accounts_known(const server_entry& server) {
    return server.fresh() && details(server)->bypass_accounts.has_value();
}

double replicas_connected(const server_entry& server) {
    const auto* read = details(server);
    return read ? read->connected_replicas.value_or(0) : 0;
}

double replicas_connected_known(const server_entry& server) {
    return server.fresh() && details(server)->connected_replicas.has_value();
}

}  // namespace

std::vector<family> server_families() {
    using enum family_type;
    return {
        {"primacy_server_up", gauge, "topology, server",
         "1 while a fresh reading tells whether the server may be written to; 0 is unknown, which "
         "is not the same as down.",
         each_server<up>},
        {"primacy_server_info", gauge, "topology, server, address, flavor, version, server_id",
         "Always 1; what the server said of itself when it was last read, unknown before.", info},
        {"primacy_server_writable", gauge, "topology, server",
         "1 while the server is seen to take writes of ordinary accounts; 0 means read-only only "
         "where primacy_server_up is 1.",
         each_server<writable>},
        {"primacy_server_role", gauge, "topology, server, role",
         "1 for the role that the server has, 0 for the others; unknown while it cannot be read.",
         role},
        {"primacy_server_last_seen_timestamp_seconds", gauge, "topology, server",
         "When the server was last read, as Unix time; 0 is not since the agent started.",
         last_seen},
        {"primacy_server_bypass_accounts", gauge, "topology, server",
         "Accounts that write through read_only, as last read; 0 if the server did not tell.",
         each_server<bypass_accounts>},
        {"primacy_server_bypass_accounts_known", gauge, "topology, server",
         "1 while a fresh reading tells primacy_server_bypass_accounts; needs a grant to read "
         "them.",
         each_server<bypass_accounts_known>},
        {"primacy_server_replicas_connected", gauge, "topology, server",
         "Replicas that are connected to the server, as last read; 0 if the server did not tell.",
         each_server<replicas_connected>},
        {"primacy_server_replicas_connected_known", gauge, "topology, server",
         "1 while a fresh reading tells primacy_server_replicas_connected.",
         each_server<replicas_connected_known>},
    };
}

}  // namespace primacy::app::metrics
