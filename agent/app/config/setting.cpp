#include "agent/app/config/setting.hpp"

#include "agent/app/config/address.hpp"
#include "agent/app/config/duration.hpp"
#include "agent/app/config/nearest_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sys/un.h>

namespace primacy::app {

namespace {

constexpr std::size_t longest_name = 64;

value_kind kind_of(value_type type) {
    switch (type) {
        case value_type::number: return value_kind::integer;
        case value_type::flag: return value_kind::boolean;
        case value_type::word_list:
        case value_type::address_list:
        case value_type::name_list:
        case value_type::text_list:
        case value_type::command:
        case value_type::table_list: return value_kind::list;
        case value_type::option_table:
        case value_type::user_table:
        case value_type::table:
        case value_type::named_tables: return value_kind::table;
        default: return value_kind::text;
    }
}

std::string words_text(const key_description& key) {
    std::string text;
    for (std::string_view word : words_of(key))
        text += fmt::format("{}\"{}\"", text.empty() ? "" : ", ", word);
    return text;
}

std::string bounds_text(const key_description& key) {
    if (key.type == value_type::number)
        return fmt::format("a whole number from {} to {}", key.rules.lowest, key.rules.highest);
    return fmt::format("a duration from {} to {}",
                       to_text(std::chrono::milliseconds(key.rules.lowest)),
                       to_text(std::chrono::milliseconds(key.rules.highest)));
}

std::string absolute(std::string_view path, const std::filesystem::path& directory) {
    return (directory / path).lexically_normal().string();
}

std::string program_complaint(std::string_view text) {
    if (text.find('/') == text.npos && text.front() != '-') return {};
    return text.front() == '/' ? "" : "the name of a program, or its absolute path";
}

// Its own rule: it reads "backend/server" and one command up to a semicolon or a line's end.
bool is_haproxy_name(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.' || c == ':';
    });
}

bool fits_socket(std::string_view path) {
    return path.size() < sizeof(sockaddr_un::sun_path);
}

constexpr std::string_view short_path =
    "a path of at most 107 bytes, which is what a unix socket can have";

// What was expected instead of a text; empty when it is fine, and `into` then holds it.
std::string interpret(const key_description& key, std::string_view text,
                      const std::filesystem::path& directory, setting& into) {
    into.text = text;
    if (text.empty()) return key.rules.may_be_empty ? "" : expectation_of(key);
    if (control_at(text) != text.npos) return "a text without control characters";
    switch (key.type) {
        case value_type::name: return std::string(name_complaint(text));
        case value_type::word: {
            const auto words = words_of(key);
            const auto found = std::find(words.begin(), words.end(), text);
            into.number = found - words.begin();
            return found == words.end() ? expectation_of(key) : "";
        }
        case value_type::duration: {
            const auto length = parse_duration(text);
            if (!length) return expectation_of(key);
            into.number = length->count();
            return into.number < key.rules.lowest || into.number > key.rules.highest
                       ? bounds_text(key)
                       : "";
        }
        case value_type::path: into.text = absolute(text, directory); return {};
        case value_type::socket_path:
            into.text = absolute(text, directory);
            return fits_socket(into.text) ? "" : std::string(short_path);
        case value_type::local_or_address:
            if (text.find('/') == text.npos)
                return parse_host_port(text) ? "" : expectation_of(key);
            into.text = absolute(text, directory);
            return fits_socket(into.text) ? "" : std::string(short_path);
        case value_type::address: {
            const auto fine = parse_host_port(text);
            return fine ? "" : fine.error().message;
        }
        case value_type::haproxy_name: return is_haproxy_name(text) ? "" : expectation_of(key);
        case value_type::program: return program_complaint(text);
        case value_type::host: {
            const auto fine = check_host(text);
            return fine ? "" : fine.error().message;
        }
        case value_type::listen: {
            const auto fine = parse_listen(text);
            return fine ? "" : fine.error().message;
        }
        default: return {};
    }
}

// The same for one item of a list.
std::string interpret_item(const key_description& key, std::string_view text, std::size_t index) {
    if (control_at(text) != text.npos) return "a text without control characters";
    const bool first_of_command = key.type == value_type::command && index == 0;
    if (first_of_command) return text.starts_with('/') ? "" : "the absolute path of a program";
    if (key.type == value_type::name_list) return std::string(name_complaint(text));
    if (key.type == value_type::address_list) {
        const auto fine = parse_host_port(text);
        return fine ? "" : fine.error().message;
    }
    if (key.type != value_type::word_list) return {};
    const auto words = words_of(key);
    const bool known = std::find(words.begin(), words.end(), text) != words.end();
    return known ? "" : "one of " + words_text(key);
}

void complain(checked_value& checked, const key_description& key, const std::string& expected,
              const document_value& got) {
    checked.at = got.at;
    checked.complaint = fmt::format("expected {}, got {}", expected, shown(got));
    const auto words = words_of(key);
    const bool misspelt = got.kind == value_kind::text &&
                          std::find(words.begin(), words.end(), got.text) == words.end();
    if (misspelt) checked.complaint += did_you_mean(got.text, words);
}

void check_list(checked_value& checked, const key_description& key, const document_value& value) {
    setting& made = checked.result;
    if (value.items.empty() && !key.rules.may_be_empty)
        return complain(checked, key, expectation_of(key) + " with at least one item", value);
    for (const document_value& item : value.items) {
        if (item.kind != value_kind::text) return complain(checked, key, "a list of texts", item);
        const std::string expected = interpret_item(key, item.text, made.list.size());
        if (!expected.empty()) return complain(checked, key, expected, item);
        const bool repeated =
            std::find(made.list.begin(), made.list.end(), item.text) != made.list.end();
        if (repeated && key.type != value_type::command)
            return complain(checked, key, "each item once", item);
        made.list.push_back(item.text);
        made.list_positions.push_back(item.at);
    }
}

}  // namespace

std::string_view name_complaint(std::string_view name) {
    const bool letters = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
    });
    // A leading dash would be read as an option on the command line, a leading dot hides a file.
    const bool fine = letters && !name.empty() && name.size() <= longest_name &&
                      name.front() != '-' && name.front() != '.';
    if (fine) return {};
    return "a name of at most 64 letters, digits, \"_\", \".\" or \"-\" that begins with a letter, "
           "a digit or \"_\"";
}

std::string expectation_of(const key_description& key) {
    switch (key.type) {
        case value_type::name: return std::string(name_complaint(""));
        case value_type::word: return "one of " + words_text(key);
        case value_type::word_list: return "a list of " + words_text(key);
        case value_type::text: return "a text in quotes";
        case value_type::duration: return "a duration such as \"250ms\", \"2s\" or \"10m\"";
        case value_type::number: return bounds_text(key);
        case value_type::path:
        case value_type::socket_path: return "a path in quotes";
        case value_type::program: return "the name of a program, or its absolute path";
        case value_type::host: return "a host name or an IP address";
        case value_type::listen: return "an address such as \"127.0.0.1:9963\" or \":9963\"";
        case value_type::flag: return "true or false";
        case value_type::address: return "an address such as \"10.0.0.9:3306\"";
        case value_type::local_or_address:
            return "the path of a unix socket, or an address such as \"127.0.0.1:9999\"";
        case value_type::haproxy_name:
            return "a name of letters, digits, \"-\", \"_\", \".\" or \":\"";
        case value_type::address_list: return "a list of addresses such as [\"10.0.0.9:3306\"]";
        case value_type::name_list: return "a list of names such as [\"sql\"]";
        case value_type::text_list: return "a list of texts";
        case value_type::command: return "a list such as [\"/usr/local/bin/page\", \"now\"]";
        case value_type::option_table: return "a table such as { plug = \"7\" }";
        case value_type::user_table: return "a table such as { name = \"bcrypt hash\" }";
        case value_type::table: return fmt::format("a table of settings, {} = {{ … }}", key.key);
        case value_type::named_tables: return fmt::format("tables such as [{}.NAME]", key.key);
        case value_type::table_list:
            return fmt::format("tables with two brackets, [[….{}]]", key.key);
    }
    return "";
}

checked_value check_value(const key_description& key, const document_value& value,
                          const std::filesystem::path& directory) {
    checked_value checked;
    setting& made = checked.result;
    made.at = value.at;
    made.written = true;
    made.value = &value;
    if (value.kind != kind_of(key.type)) {
        complain(checked, key, expectation_of(key), value);
    } else if (value.kind == value_kind::integer) {
        made.number = value.integer;
        if (made.number < key.rules.lowest || made.number > key.rules.highest)
            complain(checked, key, bounds_text(key), value);
    } else if (value.kind == value_kind::boolean) {
        made.number = value.flag ? 1 : 0;
    } else if (value.kind == value_kind::text) {
        const std::string expected = interpret(key, value.text, directory, made);
        if (!expected.empty()) complain(checked, key, expected, value);
    } else if (value.kind == value_kind::list && key.type != value_type::table_list) {
        check_list(checked, key, value);
    }
    return checked;
}

setting default_of(const key_description& key, const std::filesystem::path& directory) {
    if (key.default_text.empty()) return {};
    document_value value;
    value.kind = kind_of(key.type);
    if (value.kind == value_kind::integer) {
        value.integer = std::stoll(std::string(key.default_text));
    } else if (value.kind == value_kind::boolean) {
        value.flag = key.default_text == "true";
    } else if (value.kind == value_kind::text) {
        value.text = key.default_text;
    } else {
        constexpr std::string_view between = ", ";
        for (std::string_view rest = key.default_text; !rest.empty();) {
            const std::size_t end = std::min(rest.find(between), rest.size());
            value.items.emplace_back().kind = value_kind::text;
            value.items.back().text = rest.substr(0, end);
            rest.remove_prefix(std::min(end + between.size(), rest.size()));
        }
    }
    setting made = check_value(key, value, directory).result;
    made.written = false;
    made.value = nullptr;
    made.list_positions.clear();
    return made;
}

}  // namespace primacy::app
