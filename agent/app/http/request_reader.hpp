// Bytes to requests, one after the other, without a socket: whoever has bytes appends them and asks
// for the next step. Bounded by `limits`; noise is refused at its first bytes, not at a deadline.
// Knows nothing of deadlines, of who may ask, or of what the paths mean.
#pragma once

#include "agent/app/http/options.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace primacy::app::http {

// The bytes so far begin a request and do not end it.
struct need_more {};

// The bytes are no request that we take. Where the next one would begin is not known either.
struct refusal {
    unsigned status;
    std::string_view sentence;  // a literal
};

struct parsed_request {
    request what;               // peer and user are for the session to fill
    std::string authorization;  // the field's value; empty when there is none
    bool head_only = false;     // HEAD: answer as to GET, without the body
    bool keep_alive = false;
};

using read_step = std::variant<need_more, parsed_request, refusal>;

class request_reader {
public:
    explicit request_reader(const limits& bounds) : bounds_(bounds) {}

    void append(std::string_view bytes) { buffer_.append(bytes); }
    // After a refusal the reader is of no further use.
    read_step next();
    // True while no byte of a next request has come.
    bool empty() const { return buffer_.empty() && !pending_; }

private:
    std::optional<refusal> look_at_start() const;
    std::optional<refusal> find_header_end(std::size_t& header_size);
    std::optional<refusal> parse_header(std::string_view header);

    limits bounds_;
    std::string buffer_;
    std::size_t scanned_ = 0;                // no header ends before this offset
    std::optional<parsed_request> pending_;  // its header is parsed, its body not yet complete
    std::size_t body_size_ = 0;
};

// "/a%20b?x=1" to path and query. False when it is no path or hides a control character.
bool split_target(std::string_view target, std::string& path, std::string& query);

}  // namespace primacy::app::http
