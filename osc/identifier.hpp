// Names of databases and tables: how a person writes them, how SQL does, and which names the
// schema-change tools make of them. Pure; knows no server and no tool's output.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

// In characters, not bytes: what a server allows for a table, a trigger or a column.
constexpr std::size_t longest_identifier = 64;

struct table_name {
    std::string database;
    std::string table;
    bool operator==(const table_name&) const = default;
};

// "`we``ird`": as SQL has it, whatever is inside.
std::string quoted(std::string_view identifier);
// "`shop`.`orders`"
std::string quoted(const table_name& name);
// "'it''s'": a string literal that is right under every sql_mode; a backslash is written by its
// code, because it means itself or not depending on NO_BACKSLASH_ESCAPES.
std::string literal(std::string_view text);
// "shop.orders", for people; a part that is not plain is quoted.
std::string readable(const table_name& name);

struct parsed_name {
    std::optional<table_name> name;
    std::string problem;  // why there is none
};
// "shop.orders", "`we.ird`.`ta``ble`"; the database must be named.
parsed_name parse_table_name(std::string_view text);

// Why no tool may be let near this name; empty: it is harmless. Line ends and other control
// characters are allowed by servers and end up in argv, log lines and flag files.
std::string unusable_because(const table_name& name);

// Number of characters of a UTF-8 text; broken bytes count as one each.
std::size_t character_count(std::string_view text) noexcept;
// The text cut to so many characters.
std::string_view cut_to_characters(std::string_view text, std::size_t characters) noexcept;

// Whether the bytes are well-formed UTF-8, as servers take names and statements.
bool is_utf8(std::string_view text) noexcept;

// gh-ost: `_orders_gho` and its companions. The table's name is cut, so that the whole has at most
// 64 bytes; here never inside a character, where gh-ost itself fails (see gh_ost_can_name).
// Source: go/base/context.go of 1.1.10, getSafeTableName.
struct gh_ost_names {
    std::string ghost;       // the copy
    std::string changelog;   // heartbeats and states
    std::string checkpoint;  // since 1.1.8
    std::string old;         // the original after the cut-over, or an empty sentry before it
};
gh_ost_names gh_ost_names_of(std::string_view table);
// False when gh-ost would cut one of its names inside a character, which no server takes.
bool gh_ost_can_name(std::string_view table) noexcept;
// `_orders_20261125083059_del`: with --timestamp-old-table, by a time of 14 digits.
bool is_gh_ost_timestamped_old(std::string_view name, std::string_view table);

// pt-online-schema-change: `_orders_new` (more underscores when the name is taken), `_orders_old`,
// both cut at 64 characters, so that those of a long name have no ending; and the triggers in the
// table's database, whose common stem is cut at 60 characters. Source: bin/pt-online-schema-change
// 3.2.1, create_new_table, swap_tables, create_triggers; run with names of UTF-8.
struct pt_osc_names {
    std::vector<std::string> copies;  // most likely first
    std::vector<std::string> olds;
    std::vector<std::string> triggers;  // delete, update, insert: in the order to drop them
};
pt_osc_names pt_osc_names_of(const table_name& name);
// One of its triggers on this table. Beyond ASCII it depends on Perl which characters of the name
// became an underscore; each way is accepted.
bool is_pt_osc_trigger(std::string_view name, const table_name& table);

}  // namespace primacy::osc
