// Small parts of JSON that records on disk share: texts that are left out when they are empty, and
// wall times both as a person reads them and exactly.
#pragma once

#include "checks/moment.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::app::json_parts {

void put_time(boost::json::object& into, const std::string& key, checks::wall_time when);
void put_text(boost::json::object& into, std::string_view key, const std::string& text);
void put_texts(boost::json::object& into, std::string_view key,
               const std::vector<std::string>& texts);

// Absent, empty or zero when the key is missing or of another type.
std::optional<checks::wall_time> time_of(const boost::json::object& from, const std::string& key);
std::string text_of(const boost::json::object& from, std::string_view key);
std::vector<std::string> texts_of(const boost::json::object& from, std::string_view key);
std::int64_t number_of(const boost::json::object& from, std::string_view key);
bool flag_of(const boost::json::object& from, std::string_view key);
// An empty object when there is none.
const boost::json::object& object_of(const boost::json::object& from, std::string_view key);

}  // namespace primacy::app::json_parts
