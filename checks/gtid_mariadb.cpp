#include "checks/gtid.hpp"
#include "checks/gtid_text.hpp"

#include <algorithm>
#include <limits>

namespace primacy::checks {
namespace {

std::optional<mariadb_gtid> parse_triple(std::string_view text) {
    const auto first = text.find('-');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = text.find('-', first + 1);
    if (second == std::string_view::npos) return std::nullopt;

    constexpr std::uint64_t id_limit = std::numeric_limits<std::uint32_t>::max();
    constexpr std::uint64_t sequence_limit = std::numeric_limits<std::uint64_t>::max();
    const auto domain = gtid_text::number(text.substr(0, first), id_limit);
    const auto server_id = gtid_text::number(text.substr(first + 1, second - first - 1), id_limit);
    const auto sequence = gtid_text::number(text.substr(second + 1), sequence_limit);
    if (!domain || !server_id || !sequence) return std::nullopt;
    return mariadb_gtid{static_cast<std::uint32_t>(*domain), static_cast<std::uint32_t>(*server_id),
                        *sequence};
}

bool same_writer(const mariadb_gtid& left, const mariadb_gtid& right) noexcept {
    return left.domain == right.domain && left.server_id == right.server_id;
}

// What the other server is known to have of one domain.
struct knowledge {
    std::uint64_t same_writer = 0;  // highest sequence of the very (domain, server_id) asked for
    bool in_binlog = false;         // its binlog has (or had) transactions of that writer
    std::uint64_t passed = 0;       // highest sequence of its slave position, whoever wrote that
    std::uint64_t shared = 0;       // highest sequence that both servers have, whoever wrote it
};

knowledge look_up(const mariadb_gtid& wanted, const mariadb_gtid_state& holder,
                  const mariadb_history& other) {
    knowledge known;
    const auto note = [&](const mariadb_gtid& seen) {
        if (seen.domain != wanted.domain) return;
        if (seen.server_id == wanted.server_id) {
            known.same_writer = std::max(known.same_writer, seen.sequence);
        }
        if (const auto ours = holder.sequence_of(seen.domain, seen.server_id)) {
            known.shared = std::max(known.shared, std::min(*ours, seen.sequence));
        }
    };
    for (const auto& seen : other.binlog_state->entries()) {
        note(seen);
        known.in_binlog = known.in_binlog || same_writer(seen, wanted);
    }
    if (other.slave_pos != nullptr) {
        for (const auto& seen : other.slave_pos->entries()) {
            note(seen);
            if (seen.domain == wanted.domain) known.passed = std::max(known.passed, seen.sequence);
        }
    }
    return known;
}

enum class verdict {
    contained,  // the other server has it
    missing,    // the other server cannot have it
    undecided   // what was read does not tell
};

verdict judge(const mariadb_gtid& wanted, const knowledge& known, const mariadb_history& other) {
    if (known.same_writer >= wanted.sequence) return verdict::contained;
    // It logs what it replicates and has logged this writer before: its binlog would show it.
    if (other.logs_replicated && known.in_binlog) return verdict::missing;
    if (other.slave_pos == nullptr) return verdict::undecided;
    // It has replicated past that number. Whether by way of this transaction cannot be told when
    // it does not log what it replicates, nor when it has never logged this writer: a replica made
    // from a backup has the older history in its tables but not in its binlog.
    if (known.passed >= wanted.sequence) return verdict::undecided;
    return verdict::missing;
}

}  // namespace

std::optional<mariadb_gtid_state> mariadb_gtid_state::parse(std::string_view text) {
    mariadb_gtid_state state;
    text = gtid_text::trimmed(text);
    if (text.empty()) return state;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto gtid = parse_triple(gtid_text::trimmed(text.substr(begin, end - begin)));
        if (!gtid) return std::nullopt;
        state.entries_.push_back(*gtid);
        begin = end + 1;
    }
    std::sort(state.entries_.begin(), state.entries_.end());
    const auto twice =
        std::adjacent_find(state.entries_.begin(), state.entries_.end(), same_writer);
    if (twice != state.entries_.end()) return std::nullopt;
    return state;
}

std::string mariadb_gtid_state::to_string() const {
    std::string text;
    for (const auto& entry : entries_) {
        if (!text.empty()) text += ',';
        text += std::to_string(entry.domain) + '-' + std::to_string(entry.server_id) + '-' +
                std::to_string(entry.sequence);
    }
    return text;
}

std::optional<std::uint64_t> mariadb_gtid_state::sequence_of(std::uint32_t domain,
                                                             std::uint32_t server_id) const {
    const mariadb_gtid wanted{domain, server_id, 0};
    const auto found = std::lower_bound(entries_.begin(), entries_.end(), wanted);
    if (found == entries_.end() || !same_writer(*found, wanted)) return std::nullopt;
    return found->sequence;
}

mariadb_excess excess(const mariadb_history& holder, const mariadb_history& other) {
    mariadb_excess result;
    if (holder.binlog_state == nullptr) {
        result.undecided = true;
        return result;
    }
    for (const auto& entry : holder.binlog_state->entries()) {
        if (other.binlog_state == nullptr) {
            result.undecided = true;
            break;
        }
        const auto known = look_up(entry, *holder.binlog_state, other);
        switch (judge(entry, known, other)) {
            case verdict::contained: break;
            case verdict::undecided: result.undecided = true; break;
            case verdict::missing: {
                auto first = known.same_writer + 1;
                if (known.shared < entry.sequence) first = std::max(first, known.shared + 1);
                result.ranges.push_back({entry.domain, entry.server_id, first, entry.sequence});
                break;
            }
        }
    }
    return result;
}

}  // namespace primacy::checks
