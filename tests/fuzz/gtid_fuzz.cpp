// Any text as a GTID list: parsing never fails badly, and what was parsed keeps its laws.
#include "checks/gtid.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

using namespace primacy::checks;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void fuzz_mariadb(std::string_view left, std::string_view right) {
    const auto a = mariadb_gtid_state::parse(left);
    const auto b = mariadb_gtid_state::parse(right);
    if (a) require(mariadb_gtid_state::parse(a->to_string()) == *a);
    if (!a || !b) return;
    const mariadb_history ours{&*a, &*b, true};
    require(excess(ours, ours) == mariadb_excess{});
    for (const bool logs : {true, false}) {
        const auto found = excess({&*a, nullptr, true}, {&*b, &*a, logs});
        for (const auto& range : found.ranges)
            require(range.first <= range.last);
    }
    require(excess(ours, {&*a, nullptr, true}) == mariadb_excess{});
}

void fuzz_mysql(std::string_view left, std::string_view right) {
    const auto a = mysql_gtid_set::parse(left);
    const auto b = mysql_gtid_set::parse(right);
    if (a) {
        require(mysql_gtid_set::parse(a->to_string()) == *a);
        require(a->empty() == (a->count() == 0));
    }
    if (!a || !b) return;
    const auto both = a->united(*b);
    require(both == b->united(*a));
    require(both.contains(*a) && both.contains(*b));
    require(a->minus(*b).united(*b) == both);
    require(a->minus(*b).minus(*a).empty());
    require(a->contains(*b) == b->minus(*a).empty());
    require(both.count() >= a->count());
}

}  // namespace

// The text before the first '/' is one server's, the rest the other's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto slash = text.find('/');
    const auto left = text.substr(0, slash);
    const auto right = slash == std::string_view::npos ? text : text.substr(slash + 1);
    fuzz_mariadb(left, right);
    fuzz_mysql(left, right);
    return 0;
}
