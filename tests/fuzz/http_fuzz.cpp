// The HTTP request path without a socket: any bytes, in any pieces, become requests within bounds
// or one refusal; how they were cut does not matter. Also the client's and the password's parsers.
#include "agent/app/http/basic_auth.hpp"
#include "agent/app/http/request_reader.hpp"
#include "agent/app/http/response_text.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace primacy::app::http;

namespace {

limits tight_bounds() {
    limits bounds;
    bounds.header_bytes = 512;  // small, so that the fuzzer gets to the bounds
    bounds.target_bytes = 128;
    bounds.body_bytes = 64;
    return bounds;
}

void demand(bool holds) {
    if (!holds) std::abort();
}

bool has_control(std::string_view text) {
    for (unsigned char c : text) {
        if (c < ' ' || c == 127) return true;
    }
    return false;
}

void check_request(const parsed_request& whole, const limits& bounds) {
    const request& what = whole.what;
    demand(what.path.starts_with('/') && !has_control(what.path));
    demand(!has_control(what.query));
    const std::string_view line_breaks("\r\n\0", 3);
    demand(whole.authorization.find_first_of(line_breaks) == std::string::npos);
    demand(what.path.size() + what.query.size() <= bounds.target_bytes);
    demand(what.body.size() <= bounds.body_bytes);
    demand(!what.method.empty() && what.method.size() <= 20 && what.method != "HEAD");
    if (const auto given = parse_basic(whole.authorization)) {
        demand(given->name.find(':') == std::string::npos);
        demand(given->name.find('\0') == std::string::npos);
    }
    response answer = plain_text(200, what.path);
    answer.headers.emplace_back(what.query, what.body);
    const std::string head = head_of(answer, whole.keep_alive, {});
    demand(head.find("\r\n\r\n") == head.size() - 4);
    const auto read_back = parse_response(head + *answer.body);
    demand(read_back.has_error() || *read_back->body == *answer.body);
}

// What a stream means, as text.
std::string meaning_of(std::string_view bytes, std::size_t piece, const limits& bounds) {
    request_reader reader(bounds);
    std::string meaning;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        reader.append(bytes.substr(at, piece));
        for (;;) {
            const read_step step = reader.next();
            if (std::holds_alternative<need_more>(step)) break;
            if (const auto* refused = std::get_if<refusal>(&step)) {
                demand(refused->status >= 400 && refused->status < 500);
                return meaning + "refused " + std::to_string(refused->status);
            }
            const auto& whole = std::get<parsed_request>(step);
            check_request(whole, bounds);
            meaning += whole.what.method + whole.what.path + '?' + whole.what.query + '\n' +
                       whole.what.body + '\n';
        }
    }
    return meaning;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t piece = data[0] + 1U;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
    const limits bounds = tight_bounds();
    demand(meaning_of(bytes, piece, bounds) == meaning_of(bytes, bytes.size(), bounds));
    static_cast<void>(parse_response(bytes));
    static_cast<void>(parse_basic(bytes));
    return 0;
}
