// Whether a column's new type holds every value of its old one. Tools copy rows with INSERT IGNORE,
// which changes without an error what does not fit. Pure; what is not understood does not hold.
#pragma once

#include <string_view>

namespace primacy::osc {

// "varchar(20)", "int unsigned", "enum('a','b')": as servers show them and as people write them.
bool holds_every_value(std::string_view new_type, std::string_view old_type);
// The same type, however it is written: "INT" and "int(11)".
bool is_same_type(std::string_view one, std::string_view other);
// Both VARCHAR, the new one not shorter, and its length stored in as many bytes whatever the
// character set: servers only note that.
bool is_mere_extension(std::string_view new_type, std::string_view old_type);
// Compared by a collation: CHAR, VARCHAR, TEXT, ENUM, SET.
bool is_text(std::string_view type);

}  // namespace primacy::osc
