#include "checks/rules/rules.hpp"
#include "checks/words.hpp"

#include <algorithm>
#include <utility>

namespace primacy::checks::rules {

output galera_two_components(const input& in) {
    // In the order of the configuration, by the first node of each.
    std::vector<std::pair<std::string, std::vector<std::size_t>>> components;
    for (std::size_t i = 0; i < in.seen.servers.size(); ++i) {
        const auto* facts = in.graph.members[i].facts;
        if (!facts || !facts->details.galera || !facts->details.galera->in_primary_component())
            continue;
        const auto& galera = *facts->details.galera;
        std::string key = galera.cluster_uuid + ", view " + std::to_string(galera.conf_id);
        auto place = std::find_if(components.begin(), components.end(),
                                  [&](const auto& component) { return component.first == key; });
        if (place == components.end()) place = components.insert(place, {key, {}});
        place->second.push_back(i);
    }
    if (components.size() < 2) return {};
    // Members read a moment apart see different views while one of them joins; like a split brain
    // it is confirmed by repetition before it is called critical.
    bool confirmed = in.state.split.confirmed;
    std::vector<std::string> parts;
    finding found{finding_code::galera_two_components,
                  confirmed ? severity::critical : severity::warning,
                  "",
                  "",
                  {}};
    for (const auto& [key, nodes] : components) {
        parts.push_back("{" + words::subject(in.names(nodes)) + "}");
        found.evidence.push_back(words::list(in.names(nodes)) + ": primary component " + key);
    }
    found.subject = words::subject(parts);
    found.reason = "Galera has " + std::to_string(components.size()) +
                   " primary components that each take writes: " + words::list(parts);
    return {{std::move(found)}, ""};
}

}  // namespace primacy::checks::rules
