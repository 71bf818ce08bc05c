#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

namespace primacy::checks::rules {

namespace {

// "replication of db3/eu from db1": a bare "db3 is stopped" would sound like a dead server.
std::string replication(const std::string& subject, const input& in, const member& here,
                        std::size_t c) {
    const channel& link = here.facts->channels[c];
    std::string source = link.source_host + ":" + std::to_string(link.source_port);
    if (here.sources[c]) source = in.name(*here.sources[c]);
    return "replication of " + subject + " from " + source;
}

std::string what_stopped(const channel& link) {
    bool io = link.io != io_thread::running, sql = link.sql != sql_thread::running;
    if (link.io == io_thread::unknown || link.sql == sql_thread::unknown)
        return "is in a state that we do not know (IO thread " + std::string(to_string(link.io)) +
               ", SQL thread " + std::string(to_string(link.sql)) + ")";
    if (link.io == io_thread::connecting)
        return sql ? "cannot connect, and applies nothing (SQL thread is stopped)"
                   : "cannot connect";
    if (io && sql) return "is stopped (IO and SQL thread)";
    return io ? "receives nothing (IO thread is stopped)"
              : "applies nothing (SQL thread is stopped)";
}

// The server's own words; no error text is not the same as no error, so their absence is said.
void add_errors(const channel& link, finding& found) {
    auto add = [&](const char* thread, std::string_view state, int number,
                   const std::string& text) {
        found.evidence.push_back(std::string(thread) + " thread: " +
                                 (number == 0 && text.empty()
                                      ? std::string(state) + ", and the server gives no error"
                                      : "error " + std::to_string(number) + ": " + text));
    };
    if (link.io != io_thread::running) add("IO", to_string(link.io), link.io_errno, link.io_error);
    if (link.sql != sql_thread::running)
        add("SQL", to_string(link.sql), link.sql_errno, link.sql_error);
}

// A stopped channel of a writable primary is how a promoted server looks; it is told as a remark.
severity how_bad(const member& here, const channel& link) {
    bool failed = link.io_errno != 0 || link.sql_errno != 0;
    if (here.writable_primary()) {
        bool idle = link.io == io_thread::stopped && link.sql != sql_thread::unknown;
        return failed || !idle ? severity::warning : severity::info;
    }
    return failed && link.io != io_thread::connecting ? severity::critical : severity::warning;
}

}  // namespace

output replication_stopped(const input& in) {
    output result;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto& here = in.graph.members[i];
        if (!here.facts) continue;
        for (std::size_t c = 0; c < here.facts->channels.size(); ++c) {
            const channel& link = here.facts->channels[c];
            if (link.replicating()) continue;
            std::string subject = link.name.empty() ? in.name(i) : in.name(i) + "/" + link.name;
            finding found{finding_code::replication_stopped,
                          how_bad(here, link),
                          subject,
                          replication(subject, in, here, c) + " " + what_stopped(link),
                          {}};
            add_errors(link, found);
            result.findings.push_back(std::move(found));
        }
    }
    return result;
}

}  // namespace primacy::checks::rules
