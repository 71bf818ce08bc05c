#include "agent/app/daemon/pages.hpp"

#include "agent/app/metrics/page.hpp"
#include "agent/app/osc/job_pages.hpp"
#include "agent/app/report/status_json.hpp"
#include "agent/rt/offload.hpp"
#include "checks/words.hpp"

#include <boost/json/serialize.hpp>

namespace primacy::app {

namespace asio = boost::asio;
using http::request;
using http::response;

checks::duration longest_cycle(const topology_config& config) noexcept {
    return 3 * std::chrono::duration_cast<checks::duration>(config.poll_interval);
}

std::string why_not_healthy(const agent_snapshot& now, checks::moment at) {
    for (const auto& topology : now.topologies) {
        auto age = at - topology->seen.at;
        if (age > longest_cycle(*topology->config))
            return "topology " + topology->config->name + " was last judged " +
                   checks::words::seconds(age) + " ago";
    }
    return "";
}

std::string why_not_ready(const agent_snapshot& now) {
    if (now.topologies.size() < now.configured_topologies)
        return "not every topology has been judged yet";
    for (const auto& topology : now.topologies)
        if (!topology->first_round_done)
            return "topology " + topology->config->name + " has a server that was not tried yet";
    return "";
}

namespace {

response json_page(std::string text) {
    response made;
    made.content_type = "application/json";
    made.body = std::make_shared<const std::string>(std::move(text));
    made.headers.emplace_back("Cache-Control", "no-store");
    return made;
}

response verdict_page(const std::string& trouble) {
    return trouble.empty() ? http::plain_text(200, "ok") : http::plain_text(503, trouble);
}

// The value of "topology" in a query string; names need no decoding, they hold no special
// character.
std::string topology_in(const std::string& query) {
    constexpr std::string_view key = "topology=";
    for (std::size_t start = 0; start <= query.size();) {
        auto end = std::min(query.find('&', start), query.size());
        std::string_view pair = std::string_view(query).substr(start, end - start);
        if (pair.starts_with(key)) return std::string(pair.substr(key.size()));
        start = end + 1;
    }
    return "";
}

bool names_one(const agent_snapshot& from, const std::string& topology) {
    for (const auto& each : from.topologies)
        if (each->config->name == topology) return true;
    return false;
}

using to_json = boost::json::object (*)(const agent_snapshot&, const std::string&, report_time);

// Jobs for the pool; named types, because g++ 12 spoils coroutines that hold capturing lambdas.
struct render_json {
    std::shared_ptr<const agent_snapshot> from;
    std::string only;
    to_json make;
    std::string operator()() const {
        return boost::json::serialize(make(*from, only, report_now())) + "\n";
    }
};

struct render_metrics {
    std::shared_ptr<const agent_snapshot> from;
    std::string operator()() const { return metrics::render(*from); }
};

asio::awaitable<response> json_answer(const page_source& source, std::string only, to_json make) {
    auto now = source.snapshot();
    if (!only.empty() && !names_one(*now, only))
        co_return http::plain_text(404, "there is no topology of that name");
    render_json job{now, only, make};
    auto text = co_await rt::offload(source.pool, std::move(job));
    co_return json_page(std::move(text));
}

asio::awaitable<response> metrics_answer(const page_source& source) {
    render_metrics job{source.snapshot()};
    auto text = co_await rt::offload(source.pool, std::move(job));
    response made;
    made.content_type = "text/plain; version=0.0.4; charset=utf-8";
    made.body = std::make_shared<const std::string>(std::move(text));
    co_return made;
}

constexpr std::string_view index_text =
    "primacy\n"
    "/metrics          for Prometheus\n"
    "/api/v1/status    state of all topologies, JSON (?topology=NAME for one)\n"
    "/api/v1/explain   the same with evidence and reasons\n"
    "/api/v1/osc       schema changes, JSON (?job=ID for one)\n"
    "/check/JOB        may its tool copy now? In freno's manner: 200, 404, 417, 429, 500\n"
    "/healthz          200 while the loop turns\n"
    "/readyz           200 once every topology has been judged";

asio::awaitable<response> answer(const page_source& source, request asked) {
    if (asked.path == "/metrics") co_return co_await metrics_answer(source);
    if (asked.path == "/api/v1/status")
        co_return co_await json_answer(source, topology_in(asked.query), status_json);
    if (asked.path == "/api/v1/explain")
        co_return co_await json_answer(source, topology_in(asked.query), explain_json);
    if (asked.path == "/healthz")
        co_return verdict_page(why_not_healthy(*source.snapshot(), report_now().boot));
    if (asked.path == "/readyz") co_return verdict_page(why_not_ready(*source.snapshot()));
    if (auto page = job_page(source.jobs, asked)) co_return std::move(*page);
    if (asked.path == "/") co_return http::plain_text(200, index_text);
    co_return http::plain_text(404, "there is no such page; / lists them");
}

}  // namespace

namespace {

response order_page(unsigned status, const order_answer& answered) {
    auto made = json_page(app::to_json(answered) + "\n");
    made.status = status;
    return made;
}

asio::awaitable<response> take_order(const page_source& source, carry_out_order carry_out,
                                     request asked) {
    if (asked.method != "POST") co_return co_await answer(source, std::move(asked));
    if (asked.path == "/api/v1/osc")
        co_return co_await take_job_order(source.jobs, std::move(asked));
    if (asked.path != "/api/v1/order")
        co_return http::plain_text(404, "orders go to /api/v1/order and /api/v1/osc");
    auto order = parse_order(asked.body);
    if (!order) co_return order_page(400, answer_refused(order.error().message));
    order->by = asked.peer;
    auto answered = co_await carry_out(std::move(*order));
    switch (answered.how) {
        case order_answer::outcome::done: co_return order_page(200, answered);
        case order_answer::outcome::refused: co_return order_page(409, answered);
        case order_answer::outcome::failed: break;
    }
    co_return order_page(500, answered);
}

}  // namespace

http::handler make_control(const page_source& source, carry_out_order carry_out) {
    return [&source, carry_out](request asked) {
        return take_order(source, carry_out, std::move(asked));
    };
}

http::handler make_pages(const page_source& source) {
    return [&source](request asked) { return answer(source, std::move(asked)); };
}

}  // namespace primacy::app
