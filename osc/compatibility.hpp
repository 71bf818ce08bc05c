// Which versions of gh-ost and pt-online-schema-change work with which servers, by runs and by
// their sources. Pure; knows nothing of tables.
#pragma once

#include "osc/facts.hpp"

#include <string>

namespace primacy::osc {

// A clause; empty: it works there.
std::string why_gh_ost_cannot(const tool_facts& gh_ost, const server_side& server);
std::string why_pt_osc_cannot(const tool_facts& pt_osc, const server_side& server);

}  // namespace primacy::osc
