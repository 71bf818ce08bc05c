// Table options. Left out on purpose, so that they are refused: UNION and INSERT_METHOD (other
// tables), DATA and INDEX DIRECTORY (other places on the disk), CONNECTION (other servers),
// TABLESPACE, SEQUENCE, DISCARD and IMPORT.
#include "osc/alter_clause.hpp"

#include <algorithm>
#include <array>

namespace primacy::osc {

namespace {

struct option {
    std::string_view word;
    bool metadata_only;  // no row depends on it; seen on MariaDB 10.11, 11.8 and MySQL 9.7
};

constexpr std::array<option, 23> options = {{{"COMMENT", true},
                                             {"AUTO_INCREMENT", true},
                                             {"CHARSET", true},
                                             {"COLLATE", true},
                                             {"STATS_PERSISTENT", true},
                                             {"STATS_AUTO_RECALC", true},
                                             {"STATS_SAMPLE_PAGES", true},
                                             {"MAX_ROWS", true},
                                             {"MIN_ROWS", true},
                                             {"AVG_ROW_LENGTH", true},
                                             {"ENGINE", false},
                                             {"ROW_FORMAT", false},
                                             {"KEY_BLOCK_SIZE", false},
                                             {"CHECKSUM", false},
                                             {"DELAY_KEY_WRITE", false},
                                             {"PACK_KEYS", false},
                                             {"PAGE_COMPRESSED", false},
                                             {"PAGE_COMPRESSION_LEVEL", false},
                                             {"COMPRESSION", false},
                                             {"ENCRYPTED", false},
                                             {"ENCRYPTION", false},
                                             {"ENCRYPTION_KEY_ID", false},
                                             {"TRANSACTIONAL", false}}};

const option* option_at(sql_span in, std::size_t at) {
    for (const auto& each : options)
        if (stands(in, at, each.word)) return &each;
    return nullptr;
}

}  // namespace

bool describe_options(clause& made, sql_span in) {
    made.kind = clause_kind::table_option;
    made.metadata_only = true;
    for (std::size_t at = 0; at < in.size();) {
        if (stands(in, at, "DEFAULT")) ++at;
        const bool charset = stands(in, at, "CHARACTER") && stands(in, at + 1, "SET");
        const option* found = option_at(in, at);
        if (!charset && !found) return false;
        at += charset ? 2 : 1;
        if (at < in.size() && in[at].is_symbol('=')) ++at;
        if (at >= in.size() || in[at].what == sql_word::form::symbol) return false;
        if (found && !found->metadata_only) made.metadata_only = false;
        if (found && found->word == "ENGINE") {
            made.kind = clause_kind::rebuild;
            made.engine = in[at].value;
        }
        ++at;
    }
    return true;
}

}  // namespace primacy::osc
