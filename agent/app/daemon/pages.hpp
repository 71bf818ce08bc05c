// The pages of the agent, the same on its TCP address and on its control socket. Long ones are
// rendered on the pool, so that a page of a thousand servers moves no probe.
#pragma once

#include "agent/app/guard/person_order.hpp"
#include "agent/app/http/options.hpp"
#include "agent/app/osc/job_desk.hpp"
#include "agent/app/watch/snapshot.hpp"

#include <functional>
#include <memory>

namespace primacy::app {

struct page_source {
    // The present snapshot; called on the loop.
    std::function<std::shared_ptr<const agent_snapshot>()> snapshot;
    boost::asio::thread_pool& pool;
    // Schema changes.
    job_desk& jobs;
};

// `source` must outlive the handler.
http::handler make_pages(const page_source& source);

// The same, and POST /api/v1/order and /api/v1/osc for what a person asks; for the control socket
// only, whose permissions say who may.
using carry_out_order = std::function<boost::asio::awaitable<order_answer>(person_order)>;
http::handler make_control(const page_source& source, carry_out_order carry_out);

// What /healthz and /readyz say; pure. Empty: all is well.
std::string why_not_healthy(const agent_snapshot& now, checks::moment at);
std::string why_not_ready(const agent_snapshot& now);

// How long a topology may go without a judgement before something is wrong with the agent.
checks::duration longest_cycle(const topology_config& config) noexcept;

}  // namespace primacy::app
