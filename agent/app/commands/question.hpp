// How a command learns the state of topologies: from the agent, or, when none runs, by polling the
// servers itself until the first judgement is no longer a mere suspicion.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/rt/error.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace primacy::app {

enum class asked_for { status, explanation };

struct question {
    asked_for what = asked_for::status;
    std::string topology;  // empty: all
    bool direct = false;   // do not ask the agent
};

struct answer_found {
    boost::json::object json;
    std::string why_direct;  // why the agent was not asked, when it was not
};

// Errors: usage for a topology that is not configured, internal for an answer that is no JSON.
rt::result<answer_found> ask(const config& settings, const question& asked);

// True when the standard output is a terminal that shows colours.
bool colours_wanted();

}  // namespace primacy::app
