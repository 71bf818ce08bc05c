// Thousands of random histories of a topology; after every judgement the referee looks whether what
// must always hold still does.
#include "tests/scenarios/invariants.hpp"

#include "tests/support/random_histories.hpp"

#include <random>
#include <string>
#include <vector>

namespace {

using primacy::scenarios::judged;
using primacy::scenarios::referee;
using primacy::scenarios::world;
using primacy::tests::script;

class storyteller {
public:
    explicit storyteller(std::uint64_t seed) : random_(seed) {}

    script tell() {
        script lines = {policy()};
        servers_ = 2 + below(4);
        galera_ = below(6) == 0;
        for (int i = 1; i <= servers_; ++i)
            lines.push_back("server " + name(i) + " " + beginning(i));
        lines.push_back("poll " + std::to_string(below(4)));
        for (int i = 10 + below(30); i > 0; --i)
            lines.push_back(step());
        return lines;
    }

private:
    int below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
    std::string pick(const std::vector<const char*>& words) {
        return words[static_cast<std::size_t>(below(static_cast<int>(words.size())))];
    }
    static std::string name(int number) { return "db" + std::to_string(number); }
    std::string any() { return name(1 + below(servers_)); }

    std::string policy() {
        return "policy poll=" + pick({"500ms", "1s", "1s", "10s"}) +
               " timeout=" + pick({"1s", "2s", "5s"}) +
               " confirm_polls=" + pick({"1", "2", "3", "3", "4"}) +
               " confirm_for=" + pick({"0s", "1s", "2s", "2s", "5s"}) +
               " expected_writers=" + pick({"1", "1", "1", "1", "2"});
    }

    std::string beginning(int number) {
        if (galera_) return "writable galera=Primary:u:7:" + std::to_string(servers_);
        if (number == 1) return "writable";
        return "from=" + name(below(4) == 0 ? number - 1 : 1);
    }

    std::string step() {
        switch (below(20)) {
            case 0:
            case 1:
            case 2:
            case 3:
            case 4:
            case 5:
            case 6: return "poll " + std::to_string(1 + below(4));
            case 7: return "read " + any() + " " + any();
            case 8: return "wait " + pick({"300ms", "1s", "3s", "20s"});
            case 9:
                switch (below(6)) {
                    case 0: return "restart";
                    case 1: return "restart reboot";
                    case 2: return "judge";
                    case 3: return "pause " + pick({"1s", "10s", "60s"});
                    default: return "all: answers";
                }
            default: return (below(12) == 0 ? "all" : any()) + ": " + change();
        }
    }

    std::string change() {
        switch (below(7)) {
            case 0:
            case 1:
                return pick({"writable", "read_only", "writable detached", "read_only detached",
                             "read_only=NO_LOCK", "read_only=STRANGE", "stopped",
                             "writable stopped"});
            case 2: return "from=" + any();
            case 3:
                return pick(
                    {"hangs", "refused", "timeout", "denied", "too_many_connections", "lost"});
            case 4:
            case 5: return "answers";
            default: return rare();
        }
    }

    std::string rare() {
        if (galera_)
            return pick({"galera=Primary:u:8:2", "galera=Primary:u:9:3", "galera=Primary:u:7:3",
                         "galera=non-Primary:u:-1:1:Initialized"});
        switch (below(5)) {
            case 0: return "id=" + std::to_string(1 + below(servers_));
            case 1: return "channel=extra from=" + any() + ":" + pick({"3306", "3307"});
            case 2: return "takes=" + pick({"0ms", "700ms", "3s"});
            case 3:
                return "binlog=0-1-" + std::to_string(90 + below(30)) + ",0-2-" +
                       std::to_string(90 + below(30));
            default:
                return pick({"io=connecting lag=null", "io=strange lag=null",
                             "sql=stopped lag=null", "lag=100", "lag=null", "hidden=gtids",
                             "hidden=semisync", "clock=-9s", "mysql=8.4.3", "boots_writable=yes",
                             "sql_error=1062:x"});
        }
    }

    std::mt19937_64 random_;
    int servers_ = 0;
    bool galera_ = false;
};

// How often the histories came to the places where it matters.
struct tally {
    int split_brains = 0, ends = 0, successions = 0, formers = 0, no_writers = 0, doubts = 0;

    void count(const judged& now) {
        const auto &before = now.before, &after = now.verdict.next;
        split_brains += after.split.confirmed && !before.split.confirmed;
        ends += before.split.confirmed && !after.split.confirmed;
        successions += before.watch.who && before.watch.who->server != after.watch.who->server;
        formers += after.watch.formers.size() > before.watch.formers.size();
        no_writers += after.no_writer.confirmed && !before.no_writer.confirmed;
        doubts += after.watch.who && !after.watch.who->watched;
    }
};

}  // namespace

TEST_CASE("what must always hold holds in random histories") {
    tally counts;
    const auto counted = [&counts](const judged& now) { counts.count(now); };
    if (!primacy::tests::holds_in_random_histories<world, referee, storyteller>(2000, counted))
        return;
    CHECK(counts.split_brains > 100);
    CHECK(counts.ends > 50);
    CHECK(counts.successions > 100);
    CHECK(counts.formers > 20);
    CHECK(counts.no_writers > 100);
    CHECK(counts.doubts > 1000);
}
