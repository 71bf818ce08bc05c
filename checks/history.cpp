#include "checks/history.hpp"

namespace primacy::checks {

namespace {

history_comparison undecided(std::string why) {
    history_comparison none;
    none.cannot_say = std::move(why);
    return none;
}

std::string gtid(std::uint32_t domain, std::uint32_t server_id, std::uint64_t sequence) {
    return std::to_string(domain) + "-" + std::to_string(server_id) + "-" +
           std::to_string(sequence);
}

mariadb_history history_of(const server_facts& facts) {
    return {facts.binlog_state ? &*facts.binlog_state : nullptr,
            facts.slave_pos ? &*facts.slave_pos : nullptr, facts.log_slave_updates.value_or(false)};
}

history_comparison beyond_mariadb(const server_facts& holder, const server_facts& other) {
    if (!holder.binlog_state || !other.binlog_state)
        return undecided("a binlog state was not readable");
    mariadb_excess found = excess(history_of(holder), history_of(other));
    if (found.ranges.empty() && found.undecided)
        return undecided(
            "a server that does not log what it replicates, or was restored from a backup, hides "
            "its "
            "history");
    history_comparison result;
    for (const auto& range : found.ranges) {
        result.transactions += range.last - range.first + 1;
        if (!result.text.empty()) result.text += ", ";
        result.text += gtid(range.domain, range.server_id, range.first);
        if (range.last != range.first)
            result.text += " to " + gtid(range.domain, range.server_id, range.last);
    }
    result.perhaps_more = found.undecided;
    result.ranges = std::move(found.ranges);
    return result;
}

history_comparison beyond_mysql(const server_facts& holder, const server_facts& other) {
    if (!holder.executed || !other.executed) return undecided("a GTID set was not readable");
    history_comparison result;
    result.gtids = holder.executed->minus(*other.executed);
    result.transactions = result.gtids.count();
    result.text = result.gtids.to_string();
    return result;
}

// The newest reading of `holder` that ended before `reference` began; null if there is none. It has
// to be of the same stretch of readings: one from before an outage may tell of a server that was
// rebuilt since then.
const attempt* earlier_reading(const server_view& holder, const attempt& reference) {
    for (const attempt* reading : {&holder.last_good, &holder.before_good}) {
        bool same_stretch =
            reading == &holder.last_good || holder.last_good.number == reading->number + 1;
        if (reading->good() && same_stretch && reading->finished_at <= reference.started_at)
            return reading;
    }
    return nullptr;
}

}  // namespace

history_comparison beyond(const server_facts& holder, const server_facts& other) {
    if (holder.kind != other.kind)
        return undecided("GTIDs of MariaDB and MySQL cannot be compared");
    return holder.kind == flavor::mariadb ? beyond_mariadb(holder, other)
                                          : beyond_mysql(holder, other);
}

history_comparison beyond(const observation& seen, std::size_t holder, std::size_t other) {
    const attempt& reference = seen.servers[other].last_good;
    if (!reference.good()) return undecided(seen.servers[other].name + " has not been read");
    const attempt* earlier = earlier_reading(seen.servers[holder], reference);
    if (!earlier)
        return undecided("there is no reading of " + seen.servers[holder].name +
                         " from before the one of " + seen.servers[other].name);
    return beyond(*earlier->facts, *reference.facts);
}

bool nothing_of_its_own(const observation& seen, std::size_t i, std::size_t other) {
    const attempt &mine = seen.servers[i].last_good, &theirs = seen.servers[other].last_good;
    if (!mine.good() || !theirs.good() || mine.facts->kind != theirs.facts->kind) return false;
    if (mine.facts->kind == flavor::mysql) {
        if (!mine.facts->executed || !theirs.facts->executed || mine.facts->uuid.empty())
            return false;
        std::string extra = mine.facts->executed->minus(*theirs.facts->executed).to_string();
        return extra.find(mine.facts->uuid) == std::string::npos;
    }
    if (!mine.facts->binlog_state || !theirs.facts->binlog_state) return false;
    for (const mariadb_gtid& last : mine.facts->binlog_state->entries()) {
        if (last.server_id != mine.facts->server_id) continue;
        auto there = theirs.facts->binlog_state->sequence_of(last.domain, last.server_id);
        if (!there || *there < last.sequence) return false;
    }
    return true;
}

}  // namespace primacy::checks
