#include "agent/app/http/session.hpp"

#include "agent/app/http/response_text.hpp"

#include <exception>

namespace primacy::app::http {

namespace asio = boost::asio;

namespace {

response method_not_allowed(bool allow_post) {
    response answer = plain_text(405, "This method is not allowed here.");
    answer.headers.emplace_back("Allow", allow_post ? "GET, HEAD, POST" : "GET, HEAD");
    return answer;
}

response unauthorized() {
    response answer = plain_text(401, "A name and a password are needed here.");
    answer.headers.emplace_back("WWW-Authenticate", "Basic realm=\"primacy\", charset=\"UTF-8\"");
    return answer;
}

response ask_again_later(unsigned status, std::string_view sentence) {
    response answer = plain_text(status, sentence);
    answer.headers.emplace_back("Retry-After", "1");
    return answer;
}

}  // namespace

session::session(const session_context& shared, std::shared_ptr<connection> link, std::string peer)
    : shared_(shared), link_(std::move(link)), peer_(std::move(peer)), reader_(shared.bounds) {}

asio::awaitable<void> session::serve() {
    bool more = co_await link_->handshake(rt::deadline::after(shared_.bounds.read));
    while (more && !finishing_) {
        read_step step = co_await next_request();
        if (auto* asked = std::get_if<parsed_request>(&step)) {
            more = co_await answer_one(std::move(*asked));
            continue;
        }
        more = false;
        if (const auto* refused = std::get_if<refusal>(&step)) {
            const response answer = plain_text(refused->status, refused->sentence);
            const bool sent = co_await send(answer, false, false);
            if (sent) co_await link_->linger(rt::deadline::after(shared_.bounds.linger));
        }
    }
    link_->close();
}

asio::awaitable<void> session::turn_away(unsigned status, std::string_view sentence) {
    const response answer = ask_again_later(status, sentence);
    const rt::deadline until = rt::deadline::after(shared_.bounds.linger);
    const std::string head = head_of(answer, false, std::chrono::system_clock::now());
    const bool sent = co_await link_->write(head, *answer.body, until);
    if (sent) co_await link_->linger(until);
    link_->close();
}

void session::finish() {
    finishing_ = true;
    if (!answering_) link_->close();
}

void session::abort() {
    finishing_ = true;
    link_->close();
    cancel_.emit(asio::cancellation_type::terminal);
}

// A request, a refusal, or need_more when the client is gone or has been quiet for too long.
asio::awaitable<read_step> session::next_request() {
    const limits& bounds = shared_.bounds;
    bool begun = served_ == 0;  // who connects has something to ask
    rt::deadline until = rt::deadline::after(begun ? bounds.read : bounds.idle);
    for (;;) {
        read_step step = reader_.next();
        if (!std::holds_alternative<need_more>(step)) co_return step;
        if (!begun && !reader_.empty()) {
            begun = true;
            until = rt::deadline::after(bounds.read);
        }
        const transfer got = co_await link_->read_some(received_, until);
        if (until.passed()) {
            if (reader_.empty() || finishing_) co_return need_more{};
            co_return refusal{408, "The request took too long."};
        }
        if (got.failed) co_return need_more{};
        reader_.append(std::string_view(received_.data(), got.size));
    }
}

// True when the connection may carry another request.
asio::awaitable<bool> session::answer_one(parsed_request asked) {
    answering_ = true;
    ++served_;
    const response answer = co_await respond(asked);
    const bool keep_alive =
        asked.keep_alive && !finishing_ && served_ < shared_.bounds.requests_per_connection;
    const bool sent = co_await send(answer, asked.head_only, keep_alive);
    if (sent && !keep_alive) co_await link_->linger(rt::deadline::after(shared_.bounds.linger));
    answering_ = false;
    co_return sent&& keep_alive;
}

asio::awaitable<response> session::respond(parsed_request& asked) {
    const auto auth = shared_.auth;  // a reload may replace it while we wait
    if (auth) {
        auto given = parse_basic(asked.authorization);
        if (!given) co_return unauthorized();
        asked.what.user = given->name;
        const auto verdict = co_await basic_auth::check(auth, std::move(*given));
        switch (verdict) {
            case basic_auth::verdict::good: break;
            case basic_auth::verdict::bad: co_return unauthorized();
            case basic_auth::verdict::busy:
                co_return ask_again_later(503, "Too many passwords are being checked.");
        }
    }
    const std::string& method = asked.what.method;
    if (method != "GET" && !(method == "POST" && shared_.allow_post)) {
        co_return method_not_allowed(shared_.allow_post);
    }
    asked.what.peer = peer_;
    co_return co_await handle_safely(std::move(asked.what));
}

asio::awaitable<response> session::handle_safely(request asked) {
    try {
        co_return co_await shared_.handle(std::move(asked));
    } catch (const std::exception&) {
        // What it was may hold anything; the handler logs what it knows.
        co_return plain_text(500, "The agent failed to answer; its log says more.");
    }
}

asio::awaitable<bool> session::send(const response& answer, bool head_only, bool keep_alive) {
    const std::string head = head_of(answer, keep_alive, std::chrono::system_clock::now());
    const bool with_body = answer.body && !head_only;
    const std::string_view body = with_body ? std::string_view(*answer.body) : std::string_view();
    co_return co_await link_->write(head, body, rt::deadline::after(shared_.bounds.write));
}

}  // namespace primacy::app::http
