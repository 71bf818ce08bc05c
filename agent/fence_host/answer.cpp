#include "agent/fence_host/answer.hpp"

namespace primacy::fence_host {

namespace {

constexpr std::size_t longest_nonce = 64;

bool is_nonce(std::string_view text) {
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
    return !text.empty() && text.size() <= longest_nonce &&
           text.find_first_not_of(allowed) == text.npos;
}

}  // namespace

std::optional<request> parse_request(std::string_view text) {
    const std::size_t blank = text.find(' ');
    if (blank == text.npos) return std::nullopt;
    const std::string_view word = text.substr(0, blank);
    const std::string_view nonce = text.substr(blank + 1);
    if (!is_nonce(nonce)) return std::nullopt;
    if (word == "stop") return request{verb::stop, std::string(nonce)};
    if (word == "kill") return request{verb::kill, std::string(nonce)};
    if (word == "status") return request{verb::status, std::string(nonce)};
    return std::nullopt;
}

answer answer_for(const request& asked, const std::string& server, condition seen) {
    const std::string about = asked.nonce + " " + server;
    switch (seen) {
        case condition::stopped:
            return {(asked.what == verb::status ? "STOPPED " : "FENCED ") + about, 0};
        case condition::running: return {"RUNNING " + about, 1};
        case condition::refused: return {"REFUSED " + asked.nonce, 2};
        case condition::unknown: break;
    }
    return {"UNKNOWN " + about, 3};
}

}  // namespace primacy::fence_host
