// Files that a configuration names: passwords are read, certificates and keys are only seen to be
// there. Knows nothing of what they are for.
#pragma once

#include "agent/app/config/section_reader.hpp"

#include <string>
#include <string_view>

namespace primacy::app {

// The secret in the file that the key names; empty when none is named or a problem was reported.
std::string read_named_secret(reading& into, const section_values& values, std::string_view key);

// Problems: not there, not readable, not a regular file.
void check_named_file(reading& into, const section_values& values, std::string_view key);

// The same, and a mode wider than 0640 is a problem too.
void check_named_key(reading& into, const section_values& values, std::string_view key);

// A file that is needed only when something is fenced, by a program with eyes of its own: what is
// wrong with it is a warning.
void warn_of_named_file(reading& into, const section_values& values, std::string_view key);

}  // namespace primacy::app
