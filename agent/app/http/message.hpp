// What a client asked and what it is told: plain values shared by server, client and handlers.
// Knows nothing of sockets, of TLS, or of what the pages say.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace primacy::app::http {

struct request {
    std::string method;  // "GET" (a HEAD arrives as GET too) or "POST"
    std::string path;    // percent-decoded, begins with '/', holds no control character
    std::string query;   // what followed the '?', as it came
    std::string body;    // at most limits::body_bytes
    std::string peer;    // who asks: "10.0.0.9", "fd00::9", or "uid 1000" on a unix socket
    std::string user;    // the name that basic auth proved; empty without basic auth
};

struct response {
    unsigned status = 200;
    std::string content_type;
    std::shared_ptr<const std::string> body;  // shared, so that one rendered page serves many
    std::vector<std::pair<std::string, std::string>> headers;
};

// One sentence as text/plain, ended by a line feed.
response plain_text(unsigned status, std::string_view sentence);

}  // namespace primacy::app::http
