// What a person allows the agent to do to a topology, as values. Pure.
#pragma once

#include "checks/moment.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

// How the survivor of a split brain is found; the first that decides, in the configured order.
enum class keep_rule {
    pin,        // a person named it
    incumbent,  // it was the only writer, and this agent has watched without a gap
    replicas,   // a strict majority of the replicas follows it
    gtid        // its history contains the others'
};
std::string_view to_string(keep_rule rule) noexcept;

struct rung {
    std::string name;  // "sql", or a configured method
    bool needs_sql = false;
    checks::duration timeout{};
};

struct fencing_policy {
    bool enforce = false;     // false: decides and explains, never acts
    bool needs_lease = true;  // false: backend = "none" was written out
    std::vector<keep_rule> keep = {keep_rule::pin, keep_rule::incumbent, keep_rule::replicas,
                                   keep_rule::gtid};
    std::string pin;            // configured; `primacy pin` wins over it
    bool fence_all = false;     // on_ambiguous = "fence-all"
    bool fence_unseen = false;  // unseen_former = "fence"
    int max_fences = 2;
    checks::duration per = std::chrono::minutes(10);
    checks::duration cooldown = std::chrono::seconds(60);
    checks::duration deadline = std::chrono::seconds(90);  // of one ladder
    int expected_writers = 1;
    checks::duration stale_after = std::chrono::seconds(4);
    std::map<std::string, std::vector<rung>> ladders;  // by server, first rung first
};

}  // namespace primacy::fencing
