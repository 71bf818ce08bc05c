#include "agent/app/http/request_reader.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>

namespace primacy::app::http {

namespace beast_http = boost::beast::http;

namespace {

// The longest method name in use is UPDATEREDIRECTREF; ours are GET, HEAD and POST.
constexpr std::size_t longest_method = 20;
// "GET ", " HTTP/1.1" and room for a longer method around the target.
constexpr std::size_t line_overhead = longest_method + 12;

constexpr refusal not_http{400, "This is not an HTTP/1.1 request."};
constexpr refusal target_too_long{414, "The request's path is too long."};
constexpr refusal header_too_large{431, "The request's header is too large."};

bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool decode_percent(std::string_view text, std::string& decoded) {
    decoded.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (i + 2 >= text.size()) return false;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return false;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (static_cast<unsigned char>(c) < ' ' || c == 127) return false;
        decoded += c;
    }
    return true;
}

// A proxy may send the absolute form, "http://host/path".
std::string_view without_authority(std::string_view target) {
    for (std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        target.remove_prefix(scheme.size());
        const std::size_t slash = target.find_first_of("/?");
        if (slash == target.npos || target[slash] == '?') return "/";
        return target.substr(slash);
    }
    return target;
}

}  // namespace

bool split_target(std::string_view target, std::string& path, std::string& query) {
    target = without_authority(target);
    const std::size_t mark = std::min(target.find('?'), target.size());
    query = target.substr(std::min(mark + 1, target.size()));
    const bool fine = decode_percent(target.substr(0, mark), path);
    return fine && path.starts_with('/');
}

// Refuses a TLS hello, a port scan or HTTP/0.9 without waiting for more of it.
std::optional<refusal> request_reader::look_at_start() const {
    const std::size_t space = buffer_.find(' ');
    const std::string_view method = std::string_view(buffer_).substr(0, space);
    const bool word =
        std::all_of(method.begin(), method.begin() + std::min(method.size(), longest_method + 1),
                    [](char c) { return is_letter(c) || c == '-'; });
    if (!word || method.empty() || method.size() > longest_method) return not_http;
    const std::size_t line_end = buffer_.find('\n');
    if (std::min(line_end, buffer_.size()) > bounds_.target_bytes + line_overhead) {
        return target_too_long;
    }
    if (line_end == buffer_.npos) return std::nullopt;
    const std::string_view line = std::string_view(buffer_).substr(0, line_end);
    if (!line.ends_with(" HTTP/1.1\r") && !line.ends_with(" HTTP/1.0\r")) return not_http;
    return std::nullopt;
}

std::optional<refusal> request_reader::find_header_end(std::size_t& header_size) {
    header_size = 0;
    for (;;) {
        const std::size_t feed = buffer_.find('\n', scanned_);
        if (feed == buffer_.npos) break;
        if (feed >= bounds_.header_bytes) return header_too_large;
        if (feed == 0 || buffer_[feed - 1] != '\r') return not_http;
        scanned_ = feed + 1;
        if (feed >= 2 && buffer_[feed - 2] == '\n') {
            header_size = feed + 1;
            break;
        }
    }
    if (header_size > 0) return std::nullopt;
    scanned_ = buffer_.size();
    if (scanned_ > bounds_.header_bytes) return header_too_large;
    return std::nullopt;
}

std::optional<refusal> request_reader::parse_header(std::string_view header) {
    beast_http::request_parser<beast_http::empty_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(header.size() + 1));
    parser.body_limit(bounds_.body_bytes);
    boost::system::error_code failed;
    parser.put(boost::asio::buffer(header.data(), header.size()), failed);
    if (failed == beast_http::error::body_limit) {
        return refusal{413, "The request's body is too large."};
    }
    if (failed || !parser.is_header_done()) return not_http;

    const auto& message = parser.get();
    if (message.count(beast_http::field::transfer_encoding) > 0) {
        return refusal{411, "A request's body needs a Content-Length here."};
    }
    const std::size_t hosts = message.count(beast_http::field::host);
    if (hosts > 1 || (hosts == 0 && message.version() == 11)) {
        return refusal{400, "A request has exactly one Host."};
    }
    if (message.count(beast_http::field::authorization) > 1) {
        return refusal{400, "A request has at most one Authorization."};
    }
    if (message.target().size() > bounds_.target_bytes) return target_too_long;
    parsed_request made;
    if (!split_target(message.target(), made.what.path, made.what.query)) {
        return refusal{400, "The request's path is malformed."};
    }
    made.what.method = message.method_string();
    made.head_only = made.what.method == "HEAD";
    if (made.head_only) made.what.method = "GET";
    made.authorization = message[beast_http::field::authorization];
    made.keep_alive = message.keep_alive();
    body_size_ = parser.content_length().value_or(0);
    pending_ = std::move(made);
    return std::nullopt;
}

read_step request_reader::next() {
    if (!pending_) {
        // An empty line before a request is noise of old clients.
        while (buffer_.starts_with("\r\n"))
            buffer_.erase(0, 2);
        if (buffer_.empty() || buffer_ == "\r") return need_more{};
        if (auto refused = look_at_start()) return *refused;
        std::size_t header_size = 0;
        if (auto refused = find_header_end(header_size)) return *refused;
        if (header_size == 0) return need_more{};
        if (auto refused = parse_header(std::string_view(buffer_).substr(0, header_size))) {
            return *refused;
        }
        buffer_.erase(0, header_size);
        scanned_ = 0;
    }
    if (buffer_.size() < body_size_) return need_more{};
    parsed_request whole = std::move(*pending_);
    pending_.reset();
    whole.what.body = buffer_.substr(0, body_size_);
    buffer_.erase(0, body_size_);
    return whole;
}

}  // namespace primacy::app::http
