#include "agent/app/guard/person_order.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <utility>

namespace primacy::app {

namespace json = boost::json;

namespace {

constexpr std::pair<person_verb, std::string_view> verbs[] = {
    {person_verb::pin, "pin"},
    {person_verb::unpin, "unpin"},
    {person_verb::maintenance_on, "maintenance_on"},
    {person_verb::maintenance_off, "maintenance_off"},
    {person_verb::confirm_fenced, "confirm_fenced"},
    {person_verb::unfence, "unfence"},
    {person_verb::fence, "fence"},
    {person_verb::resolve, "resolve"},
};
constexpr std::chrono::hours longest_maintenance{7 * 24};

std::string text_of(const json::object& from, const char* key) {
    const auto* found = from.if_contains(key);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

rt::error refused(std::string why) {
    return {rt::errc::usage, 0, std::move(why)};
}

bool names_a_server(person_verb verb) {
    return verb != person_verb::unpin && verb != person_verb::maintenance_on &&
           verb != person_verb::maintenance_off;
}

}  // namespace

std::string_view to_string(person_verb verb) noexcept {
    for (const auto& [each, word] : verbs)
        if (each == verb) return word;
    return "pin";
}

std::string to_json(const person_order& order) {
    return json::serialize(json::object{{"verb", to_string(order.verb)},
                                        {"topology", order.topology},
                                        {"server", order.server},
                                        {"reason", order.reason},
                                        {"length_seconds", order.length.count()},
                                        {"dry_run", order.dry_run},
                                        {"agreed", order.agreed}});
}

rt::result<person_order> parse_order(std::string_view text) {
    boost::system::error_code failed;
    json::value parsed = json::parse(text, failed);
    if (failed || !parsed.is_object()) return refused("an order is a JSON object");
    const json::object& from = parsed.as_object();
    std::optional<person_verb> verb;
    for (const auto& [each, word] : verbs)
        if (word == text_of(from, "verb")) verb = each;
    if (!verb) return refused("there is no order \"" + text_of(from, "verb") + "\"");
    person_order made;
    made.verb = *verb;
    made.topology = text_of(from, "topology");
    made.server = text_of(from, "server");
    made.reason = text_of(from, "reason");
    if (made.topology.empty()) return refused("the order names no topology");
    if (names_a_server(*verb) && made.server.empty()) return refused("the order names no server");
    if (made.reason.empty())
        return refused("say why with --reason; it is kept in the journal for whoever comes next");
    if (const auto* length = from.if_contains("length_seconds"); length && length->is_int64())
        made.length = std::chrono::seconds(length->as_int64());
    if (*verb == person_verb::maintenance_on &&
        (made.length.count() <= 0 || made.length > longest_maintenance))
        return refused("say for how long with --for, at most 7 days");
    const auto* dry = from.if_contains("dry_run");
    made.dry_run = dry && dry->is_bool() && dry->as_bool();
    made.agreed = text_of(from, "agreed");
    return made;
}

order_answer answer_done(std::string sentence) {
    return {order_answer::outcome::done, std::move(sentence), {}};
}

order_answer answer_refused(std::string why) {
    return {order_answer::outcome::refused, std::move(why), {}};
}

order_answer answer_failed(std::string why) {
    return {order_answer::outcome::failed, std::move(why), {}};
}

std::string to_json(const order_answer& answer) {
    json::object made{{"done", answer.done()},
                      {"changed_nothing", answer.how == order_answer::outcome::refused},
                      {"sentence", answer.sentence}};
    if (!answer.details.empty()) made["resolve"] = answer.details;
    return json::serialize(made);
}

rt::result<order_answer> parse_answer(std::string_view text) {
    boost::system::error_code failed;
    json::value parsed = json::parse(text, failed);
    const auto* said =
        !failed && parsed.is_object() ? parsed.as_object().if_contains("sentence") : nullptr;
    if (!said || !said->is_string())
        return rt::error{rt::errc::protocol, 0, "the answer is not one to an order"};
    const json::object& from = parsed.as_object();
    auto is_true = [&](const char* key) {
        const auto* found = from.if_contains(key);
        return found && found->is_bool() && found->as_bool();
    };
    auto made = is_true("done")              ? answer_done(std::string(said->as_string()))
                : is_true("changed_nothing") ? answer_refused(std::string(said->as_string()))
                                             : answer_failed(std::string(said->as_string()));
    if (const auto* details = from.if_contains("resolve"); details && details->is_object())
        made.details = details->as_object();
    return made;
}

}  // namespace primacy::app
