#include "checks/gtid.hpp"
#include "tests/support/random.hpp"
#include "tests/unit/checks/gtid_support.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace primacy::checks;
using namespace gtid_support;

namespace {

// A history written as the two variables that a server shows.
struct server {
    server(std::string_view binlog, std::string_view slave, bool logs = true)
        : binlog_state(state(binlog)), slave_pos(state(slave)), logs_replicated(logs) {}
    mariadb_history history() const { return {&binlog_state, &slave_pos, logs_replicated}; }
    mariadb_gtid_state binlog_state, slave_pos;
    bool logs_replicated;
};

using ranges = std::vector<mariadb_excess::range>;

}  // namespace

TEST_CASE("excess: the classic fork is proved in both directions") {
    // db1 (server 1) wrote to 100; db2 was promoted there and wrote 101-105, db1 came back and went
    // on to 110.
    const server db1("0-1-110", "");
    const server db2("0-1-100,0-2-105", "0-1-100");
    CHECK(excess(db1.history(), db2.history()) == mariadb_excess{ranges{{0, 1, 101, 110}}, false});
    CHECK(excess(db2.history(), db1.history()) == mariadb_excess{ranges{{0, 2, 101, 105}}, false});
}

TEST_CASE("excess: equal sequence numbers of different servers are a fork, not equality") {
    const server db1("0-1-105", "");
    const server db2("0-1-100,0-2-105", "0-1-100");
    CHECK(excess(db1.history(), db2.history()).ranges == ranges{{0, 1, 101, 105}});
    CHECK(excess(db2.history(), db1.history()).ranges == ranges{{0, 2, 101, 105}});
}

TEST_CASE("excess: the returned primary against a replica of the new one") {
    const server db1("0-1-110", "");
    const server db3("0-1-100,0-2-200", "0-2-200");
    // Its position is far beyond 110, but it has logged server 1 and only to 100.
    CHECK(excess(db1.history(), db3.history()) == mariadb_excess{ranges{{0, 1, 101, 110}}, false});
}

TEST_CASE("excess: a replica made from a backup lacks old names in its binlog, nothing else") {
    // Server 2 wrote long ago; db3 was restored after that, so its own binlog never saw server 2.
    const server primary("0-1-200,0-2-50", "0-2-50");
    const server restored("0-1-200", "0-1-200");
    CHECK(excess(primary.history(), restored.history()) == mariadb_excess{{}, true});
    // At that very number by another server: two transactions, of which it surely has one.
    const server twin("0-1-200", "0-1-200");
    const server same_number("0-2-200", "");
    CHECK(excess(same_number.history(), twin.history()) == mariadb_excess{{}, true});
    // Something older than its position may be missing; something newer is.
    const server forked("0-1-200,0-2-250", "0-1-200");
    CHECK(excess(forked.history(), restored.history()) ==
          mariadb_excess{ranges{{0, 2, 201, 250}}, false});
}

TEST_CASE("excess: an errant transaction on a replica, seen from a primary that never replicated") {
    const server primary("0-1-200", "");
    const server replica("0-1-200,0-3-105", "0-1-200");  // gtid_strict_mode off: both went on
    // The primary cannot have it. How far back the writes of server 3 reach is not known.
    CHECK(excess(replica.history(), primary.history()) ==
          mariadb_excess{ranges{{0, 3, 1, 105}}, false});
}

TEST_CASE("excess: a server that does not log what it replicates is judged by its position") {
    const server source("0-1-100", "");
    CHECK(excess(source.history(), server("", "0-1-100", false).history()) == mariadb_excess{});
    CHECK(excess(source.history(), server("", "0-1-90", false).history()) ==
          mariadb_excess{ranges{{0, 1, 91, 100}}, false});
    // Past that number by way of server 2: by the binlog of server 2 it may or may not have it.
    CHECK(excess(source.history(), server("", "0-2-150", false).history()) ==
          mariadb_excess{{}, true});
    // It has logged server 1 itself once, which says nothing since it logs no more.
    CHECK(excess(source.history(), server("0-1-50", "0-2-150", false).history()) ==
          mariadb_excess{{}, true});
}

TEST_CASE("excess: a demoted primary whose slave position is its own GTID") {
    // db1 wrote to 110 beside db2, and was then told to follow from where its binlog ended. It may
    // as well have been restored from db2 at 105 and promoted then: the numbers are the same.
    const server db1("0-1-110", "0-1-110");
    CHECK(excess(server("0-1-100,0-2-105", "0-1-100").history(), db1.history()) ==
          mariadb_excess{{}, true});
    // Beyond its own last number it cannot have anything.
    CHECK(excess(server("0-1-100,0-2-115", "0-1-100").history(), db1.history()) ==
          mariadb_excess{ranges{{0, 2, 101, 115}}, false});
}

TEST_CASE("excess: domains are histories of their own") {
    const server holder("0-1-10,1-1-500", "");
    const server other("0-1-10,1-1-20", "0-1-10,1-1-20");
    CHECK(excess(holder.history(), other.history()).ranges == ranges{{1, 1, 21, 500}});
    const server one_domain("0-1-900", "0-1-900");
    CHECK(excess(holder.history(), one_domain.history()).ranges == ranges{{1, 1, 1, 500}});
}

TEST_CASE("excess: the holder's own slave position is no evidence") {
    const server holder("", "0-1-500", false);
    const server other("0-1-100", "0-1-100");
    CHECK(excess(holder.history(), other.history()) == mariadb_excess{});
}

TEST_CASE("excess: what was not read is undecided, never missing") {
    const server holder("0-1-100", "");
    const server other("", "");
    const auto seen = state("");
    const auto position = state("0-1-100");
    CHECK(excess({nullptr, nullptr, true}, other.history()) == mariadb_excess{{}, true});
    CHECK(excess(holder.history(), {nullptr, &position, true}) == mariadb_excess{{}, true});
    CHECK(excess(holder.history(), {&seen, nullptr, true}) == mariadb_excess{{}, true});
    // An empty history has nothing that could be missing, whatever the other one is.
    CHECK(excess(other.history(), {nullptr, nullptr, true}) == mariadb_excess{});
}

namespace {

mariadb_gtid_state random_state(std::mt19937_64& random) {
    std::set<std::pair<unsigned, unsigned>> names;
    std::string text;
    for (int entries = static_cast<int>(random() % 6); entries > 0; --entries) {
        const unsigned domain = static_cast<unsigned>(random() % 3);
        const unsigned server_id = 1 + static_cast<unsigned>(random() % 4);
        if (!names.emplace(domain, server_id).second) continue;
        if (!text.empty()) text += ',';
        text += std::to_string(domain) + '-' + std::to_string(server_id) + '-' +
                std::to_string(1 + random() % 50);
    }
    return state(text);
}

}  // namespace

TEST_CASE("excess: laws on arbitrary positions (random)") {
    auto random = primacy::tests::seeded_random();
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        const auto a_binlog = random_state(random), a_pos = random_state(random);
        const auto b_binlog = random_state(random), b_pos = random_state(random);
        const mariadb_history a{&a_binlog, &a_pos, random() % 2 == 0};
        const mariadb_history b{&b_binlog, &b_pos, random() % 2 == 0};
        CAPTURE(a_binlog.to_string());
        CAPTURE(b_binlog.to_string());
        CAPTURE(b_pos.to_string());
        REQUIRE(mariadb_gtid_state::parse(a_binlog.to_string()) == a_binlog);
        REQUIRE(excess(a, a) == mariadb_excess{});

        const auto found = excess(a, b);
        for (const auto& range : found.ranges) {
            // The proved transaction is the holder's last of that writer, and b shows no sign of
            // it.
            REQUIRE(a_binlog.sequence_of(range.domain, range.server_id) == range.last);
            REQUIRE(b_binlog.sequence_of(range.domain, range.server_id).value_or(0) < range.last);
            REQUIRE(b_pos.sequence_of(range.domain, range.server_id).value_or(0) < range.last);
            REQUIRE(range.first >= 1);
            REQUIRE(range.first <= range.last);
        }
        // Less knowledge of b never gives more proof.
        const auto blind = excess(a, {&b_binlog, nullptr, b.logs_replicated});
        for (const auto& range : blind.ranges) {
            REQUIRE(b.logs_replicated);
            REQUIRE(b_binlog.sequence_of(range.domain, range.server_id));
        }
    }
}

namespace {

// Servers that really replicate: each binlog is a list of transactions in order. Numbers are
// assigned as MariaDB assigns them, one above the highest the server has in the domain.
struct simulated {
    std::uint32_t id = 0;
    bool logs_replicated = true;
    std::vector<mariadb_gtid> binlog;
    std::set<mariadb_gtid> data;         // what is in the tables, however it got there
    std::vector<mariadb_gtid> position;  // per domain, as gtid_slave_pos
    std::uint64_t highest = 0;

    void write() {
        const mariadb_gtid gtid{0, id, ++highest};
        binlog.push_back(gtid);
        data.insert(gtid);
    }
    void apply(const mariadb_gtid& gtid) {
        if (gtid.server_id == id || !data.insert(gtid).second) return;
        if (logs_replicated) binlog.push_back(gtid);
        position = {gtid};
        highest = std::max(highest, gtid.sequence);
    }
    // A backup of `source`: its tables, an empty binlog, and the position it was taken at.
    void restore_from(const simulated& source) {
        if (source.binlog.empty()) return;
        data = source.data;
        binlog.clear();
        position = {source.binlog.back()};
        highest = source.binlog.back().sequence;
    }
    // Follows from where its own binlog ended, as MASTER_DEMOTE_TO_SLAVE does.
    void demote() {
        if (!binlog.empty() && binlog.back().server_id == id) position = {binlog.back()};
    }
    mariadb_gtid_state binlog_state() const {
        std::map<std::uint32_t, std::uint64_t> last;
        for (const auto& gtid : binlog)
            last[gtid.server_id] = gtid.sequence;
        std::string text;
        for (const auto& [server_id, sequence] : last) {
            if (!text.empty()) text += ',';
            text += "0-" + std::to_string(server_id) + '-' + std::to_string(sequence);
        }
        return state(text);
    }
    mariadb_gtid_state slave_pos() const {
        return position.empty() ? state("")
                                : state("0-" + std::to_string(position[0].server_id) + '-' +
                                        std::to_string(position[0].sequence));
    }
};

}  // namespace

TEST_CASE("excess: in simulated topologies a proof is never wrong, and a fork is never denied") {
    auto random = primacy::tests::seeded_random();
    int proofs = 0, contained = 0;
    for (int round = 0; round < 3000; ++round) {
        CAPTURE(round);
        std::vector<simulated> servers(3);
        for (std::uint32_t i = 0; i < 3; ++i)
            servers[i].id = i + 1;
        servers[2].logs_replicated = random() % 4 != 0;
        // One writer at a time whom all follow, backups now and then; at the end all may write.
        for (int era = 0; era < 3; ++era) {
            auto& writer = servers[random() % (servers[2].logs_replicated ? 3 : 2)];
            for (auto& server : servers) {
                if (&server == &writer) continue;
                if (random() % 6 == 0) server.restore_from(writer);
                if (random() % 3 == 0) server.demote();
            }
            for (int n = static_cast<int>(random() % 5); n > 0; --n)
                writer.write();
            for (auto& server : servers) {
                if (&server == &writer) continue;
                for (const auto& gtid : writer.binlog)
                    server.apply(gtid);
            }
        }
        for (auto& server : servers) {
            for (int n = static_cast<int>(random() % 3); n > 0; --n)
                server.write();
            if (random() % 4 == 0) server.demote();
        }
        for (const auto& holder : servers) {
            for (const auto& other : servers) {
                const auto hb = holder.binlog_state(), hp = holder.slave_pos();
                const auto ob = other.binlog_state(), op = other.slave_pos();
                const auto found =
                    excess({&hb, &hp, holder.logs_replicated}, {&ob, &op, other.logs_replicated});
                CAPTURE(hb.to_string());
                CAPTURE(ob.to_string());
                CAPTURE(op.to_string());
                std::set<mariadb_gtid> truly_missing;
                for (const auto& gtid : holder.binlog) {
                    if (!other.data.contains(gtid)) truly_missing.insert(gtid);
                }
                std::set<mariadb_gtid> covered;
                for (const auto& range : found.ranges) {
                    REQUIRE(truly_missing.contains({range.domain, range.server_id, range.last}));
                    for (const auto& gtid : truly_missing) {
                        if (gtid.server_id == range.server_id && gtid.sequence >= range.first &&
                            gtid.sequence <= range.last) {
                            covered.insert(gtid);
                        }
                    }
                    ++proofs;
                }
                if (!found.undecided) REQUIRE(covered == truly_missing);
                if (found == mariadb_excess{}) ++contained;
            }
        }
    }
    // The story above must produce both outcomes, or it tests nothing.
    CHECK(proofs > 1000);
    CHECK(contained > 1000);
}
