// A plan as a person reads it, in a terminal or a pipe. Pure.
#pragma once

#include "osc/plan.hpp"

#include <string>

namespace primacy::app {

// Lines with their ends; holds no control character of what a server or a person wrote.
std::string plan_report(const osc::plan& made);

}  // namespace primacy::app
