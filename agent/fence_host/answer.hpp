// One request and the one line that answers it. What the ssh driver reads: changing a word here
// breaks agents of other versions.
#pragma once

#include "agent/fence_host/stoppable.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace primacy::fence_host {

enum class verb {
    stop,   // end it politely, then by force
    kill,   // end it by force at once
    status  // look, and change nothing
};

struct request {
    verb what = verb::status;
    std::string nonce;
};

// "stop NONCE", with one blank; the nonce is [a-z0-9-], at most 64 long. Nothing else is a request.
std::optional<request> parse_request(std::string_view text);

struct answer {
    std::string
        line;  // "FENCED NONCE SERVER", "STOPPED …", "RUNNING …", "UNKNOWN …", "REFUSED NONCE"
    int exit_code = 2;  // 0, 1 for RUNNING, 2 for REFUSED, 3 for UNKNOWN; never ssh's own 255
};

answer answer_for(const request& asked, const std::string& server, condition seen);

}  // namespace primacy::fence_host
