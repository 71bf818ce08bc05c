#include "agent/app/metrics/layout.hpp"

#include <cmath>

namespace primacy::app::metrics {

namespace {

double io_running(const channel_entry& channel) {
    return channel.fresh && channel.link->io == checks::io_thread::running;
}

double sql_running(const channel_entry& channel) {
    return channel.fresh && channel.link->sql == checks::sql_thread::running;
}

bool tells_lag(const channel_entry& channel) {
    return channel.link->lag_seconds && std::isfinite(*channel.link->lag_seconds);
}

double lag(const channel_entry& channel) {
    return tells_lag(channel) ? *channel.link->lag_seconds : 0;
}

double lag_known(const channel_entry& channel) {
    return channel.fresh && tells_lag(channel);
}

double delay(const channel_entry& channel) {
    return std::isfinite(channel.link->delay_seconds) ? channel.link->delay_seconds : 0;
}

void source_info(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        for (const auto& server : topology.servers)
            for (const auto& channel : server.channels) {
                std::string labels = channel.labels;
                add_label(labels, "source", channel.source);
                to.sample(labels, 1);
            }
}

double errant(const server_entry& server) {
    return server.errant ? static_cast<double>(*server.errant) : 0;
}

double errant_known(const server_entry& server) {
    return server.known() && server.errant.has_value();
}

}  // namespace

std::vector<family> replication_families() {
    using enum family_type;
    return {
        {"primacy_replication_io_running", gauge, "topology, server, channel",
         "1 while the channel is seen to receive from its source; 0 means that it does not only "
         "where primacy_server_up is 1.",
         each_channel<io_running>},
        {"primacy_replication_sql_running", gauge, "topology, server, channel",
         "1 while the channel is seen to apply what it received; 0 means that it does not only "
         "where primacy_server_up is 1.",
         each_channel<sql_running>},
        {"primacy_replication_lag_seconds", gauge, "topology, server, channel",
         "Seconds behind the source, a deliberate delay included, as last read; 0 if the server "
         "did not tell. To be used only where primacy_replication_lag_known is 1.",
         each_channel<lag>},
        {"primacy_replication_lag_known", gauge, "topology, server, channel",
         "1 while a fresh reading tells the lag; servers tell none while a thread is stopped.",
         each_channel<lag_known>},
        {"primacy_replication_delay_seconds", gauge, "topology, server, channel",
         "Deliberate delay of the channel, as last read; part of the lag.", each_channel<delay>},
        {"primacy_replication_source_info", gauge, "topology, server, channel, source",
         "Always 1; where the channel replicates from, as last read: a server of the topology by "
         "name, any other as host:port.",
         source_info},
        {"primacy_gtid_errant_transactions", gauge, "topology, server",
         "Transactions that the server holds and the one writer lacks; 0 if that could not be "
         "decided.",
         each_server<errant>},
        {"primacy_gtid_errant_transactions_known", gauge, "topology, server",
         "1 while primacy_gtid_errant_transactions is decided: the server is known, there is one "
         "writer, and both told their GTIDs.",
         each_server<errant_known>},
    };
}

}  // namespace primacy::app::metrics
