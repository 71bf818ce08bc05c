#include "tests/unit/app/metrics_support.hpp"

#include "agent/app/metrics/layout.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace primacy::tests {

using namespace std::chrono_literals;

namespace {

// The boot clock's moment of a poll, and what a clock on the wall shows then.
constexpr auto booted_at = checks::wall_time(1'700'000'000s);
constexpr auto first_poll = 1000s;

}  // namespace

checks::server_facts mariadb_facts(std::uint32_t id, const std::string& read_only) {
    checks::server_facts facts;
    facts.version_text = "10.11.6-MariaDB";
    facts.version = checks::parse_version(facts.version_text);
    facts.server_id = id;
    facts.read_only = checks::parse_read_only(read_only);
    facts.log_slave_updates = true;
    facts.binlog_state = checks::mariadb_gtid_state::parse("0-1-100");
    facts.slave_pos = checks::mariadb_gtid_state::parse(id == 1 ? "" : "0-1-100");
    facts.details.bypass_accounts.emplace();
    facts.details.connected_replicas = 0;
    facts.details.boots_writable = false;
    return facts;
}

checks::channel running_channel(std::uint32_t source_id, double lag) {
    checks::channel link;
    link.source_host = "10.0.0." + std::to_string(source_id);
    link.source_port = 3306;
    link.source_server_id = source_id;
    link.io = checks::io_thread::running;
    link.sql = checks::sql_thread::running;
    link.lag_seconds = lag;
    return link;
}

small_world::small_world(std::size_t servers, const std::string& topology)
    : config_(std::make_shared<app::topology_config>()),
      failures_(servers, checks::probe_failure::none) {
    config_->name = topology;
    for (std::size_t i = 1; i <= servers; ++i) {
        app::server_config server;
        server.name = "db" + std::to_string(i);
        server.host = "10.0.0." + std::to_string(i);
        config_->servers.push_back(server);
        checks::server_view view;
        view.name = server.name;
        view.address = server.address();
        view.host = server.host;
        view.port = server.port;
        seen_.servers.push_back(view);
        finds_.push_back(mariadb_facts(static_cast<std::uint32_t>(i), "OFF"));
    }
}

void small_world::poll(int times) {
    for (; times > 0; --times) {
        auto now = checks::moment(first_poll + std::chrono::seconds(cycles_));
        for (std::size_t i = 0; i < finds_.size(); ++i) {
            auto& view = seen_.servers[i];
            checks::attempt made;
            made.number = view.newest.number + 1;
            // One after the other, as GTID proofs need it: the first server is read last.
            made.finished_at = now - std::chrono::milliseconds(10 * i);
            made.started_at = made.finished_at - 5ms;
            made.failure = failures_[i];
            if (made.failure == checks::probe_failure::none) {
                made.facts = std::make_shared<const checks::server_facts>(finds_[i]);
                view.before_good = view.last_good;
                view.last_good = made;
            } else {
                made.error = "it did not work";
            }
            view.newest = made;
        }
        seen_.at = now;
        last_ = std::make_shared<app::topology_snapshot>();
        last_->config = config_;
        last_->seen = seen_;
        last_->verdict = checks::judge(last_->seen, state_, checks::judging_policy{});
        state_ = last_->verdict.next;
        last_->judged_at = booted_at + now.time_since_epoch();
        last_->cycles = ++cycles_;
    }
}

std::shared_ptr<const app::topology_snapshot> small_world::topology() const {
    auto made = last_ ? last_ : std::make_shared<app::topology_snapshot>();
    made->config = config_;
    made->probes = probes_;
    return made;
}

app::agent_snapshot small_world::agent() const {
    app::agent_snapshot made;
    made.agent = "db1";
    made.version = "0.1.0";
    made.started_at = booted_at + 900s;
    made.topologies.push_back(topology());
    made.last_cycle_at = made.topologies.front()->judged_at;
    return made;
}

std::string small_world::page() const {
    app::metrics::process_facts process;
    process.cpu_seconds = 1.25;
    process.resident_bytes = 20'971'520;
    process.virtual_bytes = 104'857'600;
    process.threads = 3;
    process.open_descriptors = 17;
    process.max_descriptors = 1024;
    return app::metrics::render(agent(), process);
}

small_world healthy_trio() {
    small_world world(3);
    for (std::uint32_t id : {2u, 3u}) {
        world.facts(id - 1) = mariadb_facts(id, "ON");
        world.facts(id - 1).channels = {running_channel(1, 0.5)};
    }
    world.facts(0).details.connected_replicas = 2;
    world.poll(3);
    return world;
}

namespace {

// Names of the labels in `labels`, a text like a="x",b="y"; values may hold escaped quotes.
std::vector<std::string> label_names(std::string_view labels) {
    std::vector<std::string> names;
    while (!labels.empty()) {
        auto equals = labels.find("=\"");
        REQUIRE(equals != std::string_view::npos);
        names.emplace_back(labels.substr(0, equals));
        std::size_t end = equals + 2;
        while (end < labels.size() && labels[end] != '"')
            end += labels[end] == '\\' ? 2 : 1;
        REQUIRE(end < labels.size());
        labels.remove_prefix(end + 1);
        if (!labels.empty()) REQUIRE(labels.front() == ',');
        if (!labels.empty()) labels.remove_prefix(1);
    }
    return names;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

void check_sample(const app::metrics::family& family, const std::string& series) {
    auto brace = series.find('{');
    std::string name = series.substr(0, brace), labels = family.labels;
    if (family.type == app::metrics::family_type::histogram) {
        CHECK_MESSAGE(name.starts_with(family.name), series);
        if (!name.ends_with("_bucket")) labels.resize(labels.size() - std::string(", le").size());
    } else {
        CHECK_EQ(name, family.name);
    }
    if (brace == std::string::npos) {
        CHECK_MESSAGE(labels.empty(), series);
        return;
    }
    auto names = label_names(std::string_view(series).substr(brace + 1, series.size() - brace - 2));
    CHECK_MESSAGE(joined(names) == labels, series);
    for (const auto& label : names)
        CHECK_FALSE(std::set<std::string>{"job", "instance", "cluster"}.contains(label));
}

}  // namespace

std::map<std::string, std::string> samples_of(const std::string& page) {
    std::map<std::string, std::string> found;
    REQUIRE_FALSE(page.empty());
    CHECK_EQ(page.back(), '\n');
    const auto& families = app::metrics::all_families();
    std::size_t begun = 0;
    std::istringstream lines(page);
    std::string line;
    while (std::getline(lines, line)) {
        if (line.starts_with("# HELP ")) {
            REQUIRE_LT(begun, families.size());
            const auto& family = families[begun++];
            CHECK_EQ(line, "# HELP " + std::string(family.name) + " " + family.help);
            REQUIRE(std::getline(lines, line));
            CHECK_EQ(line, "# TYPE " + std::string(family.name) + " " +
                               std::string(to_string(family.type)));
            continue;
        }
        REQUIRE_GT(begun, 0);
        auto blank = line.rfind(' ');
        REQUIRE_MESSAGE(blank != std::string::npos, line);
        std::string series = line.substr(0, blank), value = line.substr(blank + 1);
        check_sample(families[begun - 1], series);
        CHECK_MESSAGE(value.find_first_not_of("0123456789.") == std::string::npos, line);
        CHECK_MESSAGE(found.emplace(series, value).second, "twice: " << series);
    }
    CHECK_EQ(begun, families.size());
    return found;
}

}  // namespace primacy::tests
