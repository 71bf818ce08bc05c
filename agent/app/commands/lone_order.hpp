// A person's order where no agent runs: the command takes the agent's journal for itself, looks at
// the topology until the picture is settled, and lets a guard of its own do what the agent's would
// have done, with the same lease and the same notes. A dry run takes nothing and only looks. What
// only an agent needs to know (pin, maintenance) is noted for its next start.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/app/guard/person_order.hpp"

namespace primacy::app {

// `order` has been checked (parse_order) and names a topology and a server of the configuration.
// Ends by itself; SIGINT and SIGTERM end it early, with what is under way noted.
order_answer carry_out_alone(const config& settings, person_order order);

}  // namespace primacy::app
