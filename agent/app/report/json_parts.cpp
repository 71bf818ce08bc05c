#include "agent/app/report/json_parts.hpp"

#include "agent/app/report/status_json.hpp"

#include <boost/json/array.hpp>

namespace primacy::app::json_parts {

namespace json = boost::json;

void put_time(json::object& into, const std::string& key, checks::wall_time when) {
    into[key] = utc_text(when);
    into[key + "_ns"] = when.time_since_epoch().count();
}

void put_text(json::object& into, std::string_view key, const std::string& text) {
    if (!text.empty()) into[key] = text;
}

void put_texts(json::object& into, std::string_view key, const std::vector<std::string>& texts) {
    if (!texts.empty()) into[key] = json::array(texts.begin(), texts.end());
}

std::optional<checks::wall_time> time_of(const json::object& from, const std::string& key) {
    const auto* exact = from.if_contains(key + "_ns");
    if (!exact || !exact->is_int64()) return std::nullopt;
    return checks::wall_time(std::chrono::nanoseconds(exact->as_int64()));
}

std::string text_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::vector<std::string> texts_of(const json::object& from, std::string_view key) {
    std::vector<std::string> made;
    const auto* found = from.if_contains(key);
    if (found && found->is_array())
        for (const auto& each : found->as_array())
            if (each.is_string()) made.emplace_back(each.as_string());
    return made;
}

std::int64_t number_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    if (found && found->is_uint64()) return static_cast<std::int64_t>(found->as_uint64());
    return found && found->is_int64() ? found->as_int64() : 0;
}

bool flag_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    return found && found->is_bool() && found->as_bool();
}

const json::object& object_of(const json::object& from, std::string_view key) {
    static const json::object nothing;
    const auto* found = from.if_contains(key);
    return found && found->is_object() ? found->as_object() : nothing;
}

}  // namespace primacy::app::json_parts
