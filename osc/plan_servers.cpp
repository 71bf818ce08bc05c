// What the servers have to be able to bear.
#include "checks/words.hpp"
#include "osc/plan_rules.hpp"

#include <algorithm>

namespace primacy::osc {

using checks::flavor;
namespace words = checks::words;

namespace {

std::string megabytes(std::uint64_t bytes) {
    return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

// With room for what is written meanwhile; absent: nobody knows how large the table is.
std::optional<std::uint64_t> needed_bytes(const planning& in) {
    auto bytes = in.made.expected.bytes;
    if (!bytes || *bytes == 0) return bytes;
    return *bytes + *bytes / 10 + 100'000'000;
}

void judge_disk(const planning& in, const server_side& server) {
    const auto needed = needed_bytes(in);
    if (needed == 0) return;
    if (!needed)
        in.warn("disk_unknown", "how large " + readable(in.asked.table) +
                                    " is, and so whether it fits on " + server.name +
                                    " twice, is not known");
    else if (!server.disk_free_bytes)
        in.warn("disk_unknown", "how much disk " + server.name + " has left is not known; about " +
                                    megabytes(*needed) + " will be needed");
    else if (*server.disk_free_bytes < *needed)
        in.refuse("disk_space", server.name + " has " + megabytes(*server.disk_free_bytes) +
                                    " free and the change needs about " + megabytes(*needed));
}

void judge_test_replica(const planning& in) {
    const server_side* replica = in.read_by_gh_ost();
    if (in.asked.attempt != trial::test_on_replica || !replica) return;
    const bool mariadb = replica->kind == flavor::mariadb;
    if (mariadb && replica->gtid_strict_mode.value_or(true))
        in.refuse("strict_gtid",
                  "test-on-replica writes transactions of its own on " + replica->name +
                      ", and with gtid_strict_mode its replication stops on them afterwards");
    in.warn("errant_transactions", "test-on-replica leaves transactions on " + replica->name +
                                       " that no other server has, and its replication stopped; "
                                       "never make it the writer");
    if (!replica->log_slave_updates.value_or(false))
        in.refuse_for_good("bad_replica",
                           "log_slave_updates is " +
                               std::string(replica->log_slave_updates ? "OFF" : "not known") +
                               " on " + replica->name +
                               ", so that gh-ost would see none of the writes");
}

std::string or_unknown(const std::string& setting) {
    return setting.empty() ? "not known" : setting;
}

// What gh-ost reads, and for how long it stays there.
void judge_binlog(const planning& in, const server_side& source) {
    if (source.log_bin_compress.value_or(false))
        in.refuse("log_bin_compress",
                  "log_bin_compress is ON on " + source.name +
                      ": gh-ost waits for ever; SET GLOBAL log_bin_compress = OFF");
    if (source.binlog_format != "ROW")
        in.refuse("binlog_format", "binlog_format is " + or_unknown(source.binlog_format) + " on " +
                                       source.name + "; gh-ost needs ROW");
    if (source.binlog_row_image != "FULL")
        in.refuse("binlog_row_image", "binlog_row_image is " + or_unknown(source.binlog_row_image) +
                                          " on " + source.name + "; gh-ost needs FULL");
    const auto duration = in.made.expected.duration;
    if (source.binlog_kept && duration && *source.binlog_kept < 2 * *duration)
        in.refuse("binlog_retention",
                  "binary logs are kept for " + words::seconds(*source.binlog_kept) + " on " +
                      source.name + " and the copy takes about " + words::seconds(*duration) +
                      ": what is purged under gh-ost is lost without an error");
    else if (!source.binlog_kept_for_ever && !(source.binlog_kept && duration))
        in.warn("binlog_retention",
                std::string(source.binlog_kept ? "how long the copy takes"
                                               : "for how long binary logs are kept") +
                    " on " + source.name +
                    " is not known; what is purged under gh-ost is lost without an error");
}

void judge_gh_ost(const planning& in) {
    const server_side* source = in.read_by_gh_ost();
    if (in.made.chosen != tool::gh_ost || !source) return;
    judge_binlog(in, *source);
    if (in.known.gh_ost.version && *in.known.gh_ost.version >= tool_version{1, 1, 8} &&
        !source->metadata_lock_instrument.value_or(false))
        in.warn("metadata_lock", "performance_schema does not show metadata locks on " +
                                     source->name +
                                     ", so that gh-ost swaps without its last check of them");
}

}  // namespace

void judge_servers(const planning& in) {
    for (const auto& server : in.known.servers) {
        if (server.unreadable) {
            in.refuse("server_unknown", server.name + " cannot be read: " + *server.unreadable +
                                            "; its lag and its disk would go unseen");
            continue;
        }
        for (const auto& why : server.unread)
            in.refuse("server_unknown", why);
        judge_disk(in, server);
        if (server.galera.value_or(false) && in.made.chosen == tool::gh_ost)
            in.refuse_for_good("galera", "gh-ost does not work on Galera");
        if (in.copies() && !server.has_table)
            in.warn("table_missing", server.name +
                                         " does not have the table; its lag is watched "
                                         "all the same");
    }
    judge_test_replica(in);
    judge_gh_ost(in);
}

}  // namespace primacy::osc
