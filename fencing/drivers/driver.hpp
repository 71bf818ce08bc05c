// One way to stop a server, and to prove that it is stopped. Each driver is an adapter to one kind
// of device or program; which server, when and in which order is decided elsewhere.
//
// Promises of every driver: it returns by the deadline and a short grace (S8); a timeout is
// `unknown`, never `failed` (S7); `confirmed` rests on fresh evidence that is not the answer of the
// act itself (S5); no secret leaves it (S11); nothing is left running, neither a child nor a
// connection; acting twice does no harm; each step that changes something asks may_act before (S2).
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"
#include "fencing/drivers/permission.hpp"
#include "fencing/rung_report.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string>

namespace primacy::fencing {

// The server that a driver is about; the same for the life of the driver.
struct fence_target {
    std::string topology;
    std::string server;  // its name in the configuration
    std::string host;    // empty when it is reached by `socket`
    std::uint16_t port = 0;
    std::string socket;
};

// One fence. The same order, given again after a restart, is the same fence.
struct fence_order {
    std::string incident;  // identifies the fence in journal and logs; [a-z0-9-]
    std::string nonce;     // fresh for each act; what answers with it has answered this act
    std::string reason;    // for a person, in logs of the other side where it keeps any
    permission may_act = {};
};

class driver {
public:
    virtual ~driver() = default;

    // Stops the server and verifies. Cancelling the coroutine ends it early: outcome `unknown`.
    virtual boost::asio::awaitable<rung_report> fence(fence_order order, rt::deadline until) = 0;

    // Looks whether the server is stopped, and changes nothing: after a restart in the middle of
    // a fence, and before one that may be needless. `confirmed` as in fence(); `failed` with
    // rung_failure::still_alive: it certainly is not stopped.
    virtual boost::asio::awaitable<rung_report> verify(fence_order order, rt::deadline until) = 0;

    // Whether the device would answer if it were needed; changes nothing. The error's sentence
    // says what is wrong and what to do. Asked in the background and by preflight.
    virtual boost::asio::awaitable<rt::result<void>> check(rt::deadline until) = 0;

    // "sql", "ssh", "ipmi" …
    virtual std::string_view kind() const noexcept = 0;
};

}  // namespace primacy::fencing
