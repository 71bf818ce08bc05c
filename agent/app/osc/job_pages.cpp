#include "agent/app/osc/job_pages.hpp"

#include "agent/app/osc/job_json.hpp"
#include "agent/app/report/json_parts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace primacy::app {

namespace json = boost::json;
using http::response;

namespace {

constexpr std::string_view checks_path = "/check/";
constexpr std::string_view jobs_path = "/api/v1/osc";
constexpr std::string_view job_key = "job=";

response json_page(unsigned status, const json::object& what) {
    response made;
    made.status = status;
    made.content_type = "application/json";
    made.body = std::make_shared<const std::string>(json::serialize(what) + "\n");
    made.headers.emplace_back("Cache-Control", "no-store");
    return made;
}

response check_page(const job_desk& desk, const std::string& id) {
    auto answer = desk.check(id);
    return json_page(static_cast<unsigned>(answer.http_status),
                     {{"StatusCode", answer.http_status},
                      {"Message", answer.message},
                      {"Value", answer.value},
                      {"Threshold", answer.threshold},
                      {"Cause", osc::to_string(answer.cause)}});
}

response jobs_page(const job_desk& desk, const std::string& query) {
    json::array jobs;
    const std::string wanted =
        query.starts_with(job_key) ? query.substr(job_key.size()) : std::string();
    for (const auto& job : desk.jobs())
        if (wanted.empty() || job.id == wanted) jobs.push_back(shown_json(job));
    if (!wanted.empty() && jobs.empty())
        return http::plain_text(404, "there is no job " + wanted + "; see osc list");
    return json_page(200, {{"jobs", jobs}});
}

response order_page(unsigned status, const std::string& sentence, const std::string& job) {
    json::object made{{"done", status == 200}, {"sentence", sentence}};
    if (!job.empty()) made["job"] = job;
    return json_page(status, made);
}

response refused(const rt::error& failed) {
    return order_page(failed.code == rt::errc::usage ? 409 : 500, failed.message, "");
}

std::optional<job_wish> wish_named(std::string_view verb) {
    for (auto each : {job_wish::pause, job_wish::resume, job_wish::cut_over, job_wish::abort})
        if (to_string(each) == verb) return each;
    return std::nullopt;
}

}  // namespace

std::optional<response> job_page(const job_desk& desk, const http::request& asked) {
    if (asked.path.starts_with(checks_path))
        return check_page(desk, asked.path.substr(checks_path.size()));
    if (asked.path == jobs_path) return jobs_page(desk, asked.query);
    return std::nullopt;
}

boost::asio::awaitable<response> take_job_order(job_desk& desk, http::request asked) {
    boost::system::error_code failed;
    json::value parsed = json::parse(asked.body, failed);
    if (failed || !parsed.is_object()) co_return order_page(400, "an order is a JSON object", "");
    const json::object& from = parsed.as_object();
    const std::string verb = json_parts::text_of(from, "verb");
    if (auto wish = wish_named(verb)) {
        const std::string id = json_parts::text_of(from, "job");
        auto noted = desk.take(id, *wish, asked.peer);
        if (!noted) co_return refused(noted.error());
        co_return order_page(200, *noted, id);
    }
    if (verb == "look_again") {
        osc::table_name table{json_parts::text_of(from, "database"),
                              json_parts::text_of(from, "table")};
        co_await desk.look_again(json_parts::text_of(from, "topology"), std::move(table));
        co_return order_page(200, "what is left was asked again", "");
    }
    if (verb != "run") co_return order_page(400, "there is no order \"" + verb + "\"", "");
    auto spec = job_spec_from(json_parts::object_of(from, "spec"));
    if (!spec) co_return order_page(400, spec.error().message, "");
    job_submission request{std::move(*spec), asked.peer, json_parts::text_of(from, "reason")};
    auto job = co_await desk.submit(std::move(request));
    if (!job) co_return refused(job.error());
    co_return order_page(200, job->id + " waits for its turn", job->id);
}

}  // namespace primacy::app
