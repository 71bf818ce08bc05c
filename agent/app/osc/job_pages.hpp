// Schema changes over HTTP: whether a tool may copy now, for everybody who can reach the listener;
// what jobs there are; and, on the control socket alone, what a person asks of them.
#pragma once

#include "agent/app/http/message.hpp"
#include "agent/app/osc/job_desk.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>

namespace primacy::app {

// GET /check/JOB (freno's manner), /api/v1/osc, /api/v1/osc?job=ID; nothing for other paths.
std::optional<http::response> job_page(const job_desk& desk, const http::request& asked);

// POST /api/v1/osc with {"verb": "run", "spec": …, "reason": …} or {"verb": "pause", "job": ID}.
// {"done": …, "sentence": …, "job": …}: 200, 409 when it may not be, 400 when it is not understood,
// 500 when it failed.
boost::asio::awaitable<http::response> take_job_order(job_desk& desk, http::request asked);

}  // namespace primacy::app
