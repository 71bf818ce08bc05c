#include "agent/app/http/response_text.hpp"

#include "agent/app/http/options.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <ctime>

namespace primacy::app::http {

namespace beast_http = boost::beast::http;

namespace {

void append_field(std::string& head, std::string_view name, std::string_view value) {
    for (char c : name) {
        head += static_cast<unsigned char>(c) <= ' ' || c == ':' || c == 127 ? '-' : c;
    }
    head += ": ";
    for (char c : value)
        head += static_cast<unsigned char>(c) < ' ' || c == 127 ? ' ' : c;
    head += "\r\n";
}

std::string date_text(std::chrono::system_clock::time_point now) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[40];
    return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

}  // namespace

response plain_text(unsigned status, std::string_view sentence) {
    response answer;
    answer.status = status;
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = std::make_shared<const std::string>(std::string(sentence) + "\n");
    return answer;
}

std::string head_of(const response& answer, bool keep_alive,
                    std::chrono::system_clock::time_point now) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " ";
    head += std::string_view(beast_http::obsolete_reason(beast_http::int_to_status(answer.status)));
    head += "\r\n";
    append_field(head, "Date", date_text(now));
    if (!answer.content_type.empty()) append_field(head, "Content-Type", answer.content_type);
    append_field(head, "Content-Length", std::to_string(answer.body ? answer.body->size() : 0));
    append_field(head, "Connection", keep_alive ? "keep-alive" : "close");
    for (const auto& [name, value] : answer.headers)
        append_field(head, name, value);
    head += "\r\n";
    return head;
}

rt::result<response> parse_response(std::string_view bytes) {
    beast_http::response_parser<beast_http::string_body> parser;
    parser.eager(true);
    parser.header_limit(static_cast<std::uint32_t>(limits{}.header_bytes));
    parser.body_limit(bytes.size());
    boost::system::error_code failed;
    const std::size_t used = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), failed);
    if (!failed && !parser.is_done() && used > 0) parser.put_eof(failed);
    if (failed == beast_http::error::need_more || failed == beast_http::error::partial_message) {
        return rt::error{rt::errc::lost, 0, "the connection ended before the whole answer came"};
    }
    if (failed) {
        return rt::error{rt::errc::protocol, 0, "the answer is not HTTP: " + failed.message()};
    }
    beast_http::response<beast_http::string_body> message = parser.release();
    response answer;
    answer.status = message.result_int();
    answer.content_type = message[beast_http::field::content_type];
    answer.body = std::make_shared<const std::string>(std::move(message.body()));
    for (const auto& field : message) {
        answer.headers.emplace_back(field.name_string(), field.value());
    }
    return answer;
}

}  // namespace primacy::app::http
