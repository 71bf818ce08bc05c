// A response to bytes and back. Pure: knows nothing of sockets and reads no clock.
#pragma once

#include "agent/app/http/message.hpp"
#include "agent/rt/error.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace primacy::app::http {

// Status line and fields up to and with the empty line. Control characters in the response's own
// fields become spaces, so that no handler can be talked into sending a second response.
std::string head_of(const response& answer, bool keep_alive,
                    std::chrono::system_clock::time_point now);

// One whole response, as a client has it after the server closed. Errors: lost when it ends early,
// protocol when it is none.
rt::result<response> parse_response(std::string_view bytes);

}  // namespace primacy::app::http
