#include "agent/app/metrics/page.hpp"

#include "agent/app/metrics/layout.hpp"

namespace primacy::app::metrics {

const std::vector<family>& all_families() {
    static const std::vector<family> all = [] {
        std::vector<family> rows;
        for (const auto& some : {agent_families(), topology_families(), server_families(),
                                 replication_families(), fence_families(), osc_families()})
            rows.insert(rows.end(), some.begin(), some.end());
        return rows;
    }();
    return all;
}

std::string render(const agent_snapshot& from, const process_facts& process) {
    page laid_out = lay_out(from, process);
    std::size_t servers = 0;
    for (const auto& topology : laid_out.topologies)
        servers += topology.servers.size();
    page_writer writer(16'384 + 8'192 * laid_out.topologies.size() + 2'048 * servers);
    for (const auto& family : all_families()) {
        writer.begin(family.name, family.type, family.help);
        family.write(laid_out, writer);
    }
    return writer.take();
}

std::string render(const agent_snapshot& from) {
    return render(from, read_process_facts());
}

std::string reference_table() {
    std::string text = "| metric | type | labels | meaning |\n|---|---|---|---|\n";
    for (const auto& family : all_families())
        text += "| `" + std::string(family.name) + "` | " + std::string(to_string(family.type)) +
                " | " + family.labels + " | " + family.help + " |\n";
    return text;
}

}  // namespace primacy::app::metrics
