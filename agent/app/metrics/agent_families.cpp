#include "agent/app/metrics/layout.hpp"

namespace primacy::app::metrics {

namespace {

void build_info(const page& from, page_writer& to) {
    std::string labels;
    add_label(labels, "version", from.agent.version);
    to.sample(labels, 1);
}

void last_cycle(const page& from, page_writer& to) {
    to.sample({}, unix_seconds(from.agent.last_cycle_at));
}

void reload_successful(const page& from, page_writer& to) {
    to.sample({}, from.agent.last_reload_successful);
}

void write_histogram(const duration_histogram& of, const std::string& labels, page_writer& to) {
    double count = 0;
    for (std::size_t i = 0; i < of.counts.size(); ++i) {
        count += static_cast<double>(of.counts[i]);
        std::string bucket = labels;
        add_label(bucket, "le", i < of.bounds.size() ? number_text(of.bounds[i]) : "+Inf");
        to.sample("_bucket", bucket, count);
    }
    to.sample("_sum", labels, of.sum);
    to.sample("_count", labels, count);
}

template <duration_histogram probe_statistics::*histogram>
void each_histogram(const page& from, page_writer& to) {
    for (const auto& topology : from.topologies)
        write_histogram(topology.from->probes.*histogram, topology.labels, to);
}

void probe_failures(const page& from, page_writer& to) {
    constexpr auto first = static_cast<int>(checks::probe_failure::refused);
    constexpr auto last = static_cast<int>(checks::probe_failure::internal);
    for (const auto& topology : from.topologies) {
        const auto& counted = topology.from->probes.failures;
        for (int i = first; i <= last; ++i) {
            auto reason = static_cast<checks::probe_failure>(i);
            std::string labels = topology.labels;
            add_label(labels, "reason", checks::to_string(reason));
            auto found = counted.find(reason);
            to.sample(labels, found == counted.end() ? 0 : static_cast<double>(found->second));
        }
    }
}

template <std::optional<double> process_facts::*fact>
void process(const page& from, page_writer& to) {
    if (from.process.*fact) to.sample({}, *(from.process.*fact));
}

void start_time(const page& from, page_writer& to) {
    to.sample({}, unix_seconds(from.agent.started_at));
}

}  // namespace

std::vector<family> agent_families() {
    using enum family_type;
    return {
        {"primacy_build_info", gauge, "version", "Always 1; the version of this agent.",
         build_info},
        {"primacy_last_cycle_timestamp_seconds", gauge, "",
         "When the agent last finished a cycle of its loop, as Unix time; 0 before the first.",
         last_cycle},
        {"primacy_config_last_reload_successful", gauge, "",
         "0 after a reload that failed: the agent goes on with the configuration it had.",
         reload_successful},
        {"primacy_probe_duration_seconds", histogram, "topology, le",
         "How long it took to read a server, of the probes that succeeded.",
         each_histogram<&probe_statistics::durations>},
        {"primacy_poll_lateness_seconds", histogram, "topology, le",
         "By how much probes began after they were due.",
         each_histogram<&probe_statistics::lateness>},
        {"primacy_probe_failures_total", counter, "topology, reason",
         "Probes that could not read their server, by reason.", probe_failures},
        {"process_cpu_seconds_total", counter, "",
         "Processor time that the agent has used, user and system.",
         process<&process_facts::cpu_seconds>},
        {"process_resident_memory_bytes", gauge, "", "Memory of the agent that is in RAM.",
         process<&process_facts::resident_bytes>},
        {"process_virtual_memory_bytes", gauge, "", "Address space of the agent.",
         process<&process_facts::virtual_bytes>},
        {"process_open_fds", gauge, "", "Descriptors that the agent has open.",
         process<&process_facts::open_descriptors>},
        {"process_max_fds", gauge, "", "Descriptors that the agent may open.",
         process<&process_facts::max_descriptors>},
        {"process_threads", gauge, "", "Threads of the agent.", process<&process_facts::threads>},
        {"process_start_time_seconds", gauge, "", "When the agent started, as Unix time.",
         start_time},
    };
}

}  // namespace primacy::app::metrics
