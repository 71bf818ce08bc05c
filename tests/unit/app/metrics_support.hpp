// Small worlds for the metrics page: servers with hand-made readings, judged for real.
#pragma once

#include "agent/app/metrics/page.hpp"
#include "agent/app/watch/snapshot.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace primacy::tests {

// Facts of a MariaDB 10.11.6 that reads "OFF" or "ON"; `id` is its server id.
checks::server_facts mariadb_facts(std::uint32_t id, const std::string& read_only);
// A channel that runs, from the server with this id.
checks::channel running_channel(std::uint32_t source_id, double lag);

class small_world {
public:
    // Servers db1 … dbN at 10.0.0.1 … 10.0.0.N, port 3306. Nothing is judged yet.
    explicit small_world(std::size_t servers, const std::string& topology = "shop");

    app::topology_config& config() { return *config_; }
    // What the next polls find, until told otherwise.
    checks::server_facts& facts(std::size_t server) { return finds_[server]; }
    void fail(std::size_t server, checks::probe_failure failure) { failures_[server] = failure; }

    // One second passes, every server is read, the topology is judged.
    void poll(int times = 1);
    app::probe_statistics& probes() { return probes_; }

    // What stands after the last poll; before the first, only the configuration.
    std::shared_ptr<const app::topology_snapshot> topology() const;
    app::agent_snapshot agent() const;
    std::string page() const;

private:
    std::shared_ptr<app::topology_config> config_;
    std::vector<checks::server_facts> finds_;
    std::vector<checks::probe_failure> failures_;
    checks::observation seen_;
    checks::judging_state state_;
    std::uint64_t cycles_ = 0;
    app::probe_statistics probes_;
    std::shared_ptr<app::topology_snapshot> last_;
};

// db1 writes, db2 and db3 replicate from it, 0.5 s behind; polled three times.
small_world healthy_trio();

// The samples of a page by "name{labels}". Fails the test where the page is malformed: a line that
// is no sample, a sample outside its family, a series twice, a label that the reference does not
// name.
std::map<std::string, std::string> samples_of(const std::string& page);

}  // namespace primacy::tests
