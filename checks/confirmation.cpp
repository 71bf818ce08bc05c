#include "checks/confirmation.hpp"

#include <algorithm>

namespace primacy::checks {

namespace {

bool all_read_anew(const confirmation& before, const observation& seen,
                   const std::vector<std::size_t>& servers) {
    return std::all_of(servers.begin(), servers.end(), [&](std::size_t i) {
        const server_view& server = seen.servers[i];
        auto counted = before.counted.find(server.name);
        return counted == before.counted.end() || server.newest.number > counted->second;
    });
}

void count(confirmation& here, const observation& seen, const std::vector<std::size_t>& servers) {
    here.last_counted = seen.at;
    for (std::size_t i : servers)
        here.counted[seen.servers[i].name] = seen.servers[i].newest.number;
}

}  // namespace

confirmation strengthen(confirmation before, const observation& seen,
                        const std::vector<std::size_t>& servers, const judging_policy& policy) {
    confirmation now = std::move(before);
    bool too_far_apart = now.suspected && seen.at - now.last_counted > policy.stale_after();
    if (!now.suspected || (too_far_apart && !now.confirmed)) {
        now = confirmation{};
        now.suspected = true;
        now.since = seen.at;
        now.polls = 1;
        count(now, seen, servers);
    } else if (all_read_anew(now, seen, servers)) {
        ++now.polls;
        count(now, seen, servers);
    }
    // Time alone may complete a confirmation between two polls, not while a poll is overdue.
    bool recent = std::all_of(servers.begin(), servers.end(), [&](std::size_t i) {
        return seen.at - seen.servers[i].newest.finished_at <= 3 * policy.poll_interval / 2;
    });
    if (recent && now.polls >= policy.confirm_polls && seen.at - now.since >= policy.confirm_for)
        now.confirmed = true;
    return now;
}

std::optional<moment> confirmable_at(const confirmation& suspicion, const judging_policy& policy) {
    if (!suspicion.suspected || suspicion.confirmed || suspicion.polls < policy.confirm_polls)
        return std::nullopt;
    return suspicion.since + policy.confirm_for;
}

}  // namespace primacy::checks
