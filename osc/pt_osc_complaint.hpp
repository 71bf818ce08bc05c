// Is a line of pt-online-schema-change that has no form of its own an error, a warning or the rest
// of either? Pure; goes by how such lines begin. What it has never seen is unknown.
#pragma once

#include "osc/pt_osc_output.hpp"

#include <string_view>

namespace primacy::osc {

// trouble, warning, note or unknown. The line has no time stamp any more.
pt_osc_line_kind complaint_of_pt_osc(std::string_view line);

}  // namespace primacy::osc
