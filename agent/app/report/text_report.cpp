#include "agent/app/report/text_report.hpp"

#include "agent/app/report/table.hpp"
#include "checks/words.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cctype>
#include <optional>

namespace primacy::app {

namespace json = boost::json;

namespace {

std::string text_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    return found && found->is_string() ? printable(found->as_string()) : std::string();
}

bool true_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    return found && found->is_bool() && found->as_bool();
}

std::optional<double> number_of(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains(key);
    if (!found || !found->is_number()) return std::nullopt;
    return found->to_number<double>();
}

const json::array& array_of(const json::object& from, std::string_view key) {
    static const json::array none;
    const auto* found = from.if_contains(key);
    return found && found->is_array() ? found->as_array() : none;
}

std::string seconds_text(double seconds) {
    return checks::words::seconds(
        std::chrono::duration_cast<checks::duration>(std::chrono::duration<double>(seconds)));
}

std::string upper(std::string text) {
    for (char& c : text)
        c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

std::string words_of(std::string text) {
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

std::string painted(const std::string& text, std::string_view meaning, paint how) {
    if (how == paint::plain) return text;
    const char* code = meaning == "healthy"                            ? "32"
                       : meaning == "degraded" || meaning == "warning" ? "33"
                       : meaning == "unknown"                          ? "35"
                       : meaning == "info"                             ? "2"
                                                                       : "1;31";
    return "\x1b[" + std::string(code) + "m" + text + "\x1b[0m";
}

std::string writes_text(const json::object& server) {
    const auto* writable = server.if_contains("writable");
    if (!writable || !writable->is_bool()) return "?";
    return writable->as_bool() ? "YES" : "no";
}

std::string replication_text(const json::object& server) {
    std::string made;
    for (const auto& each : array_of(server, "channels")) {
        const auto& link = each.as_object();
        bool io = true_of(link, "io_running"), sql = true_of(link, "sql_running");
        std::string one = "from " + text_of(link, "source");
        if (!io || !sql) one += ", ";
        if (!io && !sql && text_of(link, "io_state") == "stopped")
            one += "STOPPED";
        else if (!io)
            one += text_of(link, "io_state") == "connecting" ? "CONNECTING" : "IO STOPPED";
        else if (!sql)
            one += "SQL STOPPED";
        if (!text_of(link, "name").empty()) one = text_of(link, "name") + " " + one;
        made += (made.empty() ? "" : "; ") + one;
    }
    return made.empty() ? "-" : made;
}

std::string lag_text(const json::object& server) {
    std::string made;
    for (const auto& each : array_of(server, "channels")) {
        auto lag = number_of(each.as_object(), "lag_seconds");
        made += (made.empty() ? "" : "; ") + (lag ? seconds_text(*lag) : std::string("?"));
    }
    return made.empty() ? "-" : made;
}

std::string age_text(const json::object& server) {
    auto age = number_of(server, "age_seconds");
    std::string read = age ? seconds_text(*age) + " ago" : std::string("never");
    std::string error = text_of(server, "error");
    return error.empty() ? read : read + " (" + words_of(error) + ")";
}

std::string servers_table(const json::object& topology) {
    table made;
    made.rows.push_back(
        {"SERVER", "ROLE", "WRITABLE", "REPLICATION", "LAG", "LAST READ", "ADDRESS"});
    for (const auto& each : array_of(topology, "servers")) {
        const auto& server = each.as_object();
        made.rows.push_back({text_of(server, "name"), words_of(text_of(server, "role")),
                             writes_text(server), replication_text(server), lag_text(server),
                             age_text(server), text_of(server, "address")});
    }
    return made.text();
}

std::string headline(const json::object& topology, paint how) {
    std::string state = text_of(topology, "state");
    std::string line = text_of(topology, "name") + ": " + painted(upper(state), state, how);
    if (auto reason = text_of(topology, "reason"); !reason.empty()) line += "  " + reason;
    return line + "\n";
}

std::string facts_line(const json::object& topology) {
    std::string incumbent = text_of(topology, "incumbent");
    std::string line = "  mode " + text_of(topology, "mode");
    line += incumbent.empty() ? ", no incumbent yet"
                              : ", incumbent " + incumbent +
                                    (true_of(topology, "incumbent_certain") ? "" : " (uncertain)");
    if (text_of(topology, "mode") == "enforce")
        line += true_of(topology, "armed") ? ", armed" : ", NOT ARMED";
    if (const auto* pause = topology.if_contains("maintenance"); pause && pause->is_object())
        line += ", MAINTENANCE until " + text_of(pause->as_object(), "until") + " (" +
                text_of(pause->as_object(), "reason") + ")";
    if (auto age = number_of(topology, "judged_age_seconds"); age && *age > 10)
        line += ", JUDGED " + seconds_text(*age) + " AGO";
    return line + "\n";
}

std::string finding_line(const json::object& found, paint how) {
    std::string severity = text_of(found, "severity");
    return "  " + painted(upper(severity), severity, how) + " " + text_of(found, "code") + " [" +
           text_of(found, "subject") + "] " + text_of(found, "reason") + "\n";
}

std::string confirmation_line(const json::object& topology) {
    const auto* split = topology.if_contains("split_brain");
    const auto* progress = topology.if_contains("confirmation");
    if (!split || !progress || text_of(split->as_object(), "since").empty()) return "";
    const auto& object = progress->as_object();
    auto whole = [&](const char* key) {
        return std::to_string(static_cast<long long>(number_of(object, key).value_or(0)));
    };
    return "  more writers than expected since " + text_of(split->as_object(), "since") +
           ": seen in " + whole("polls") + " polls (needs " + whole("polls_needed") + "), for " +
           seconds_text(number_of(object, "seconds").value_or(0)) + " (needs " +
           seconds_text(number_of(object, "seconds_needed").value_or(0)) + ")\n";
}

std::string rules_text(const json::object& topology) {
    std::string clear, unsure;
    for (const auto& each : array_of(topology, "rules")) {
        const auto& rule = each.as_object();
        std::string why = text_of(rule, "cannot_say");
        if (!why.empty())
            unsure += "    " + text_of(rule, "code") + ": " + why + "\n";
        else if (number_of(rule, "findings").value_or(0) == 0)
            clear += (clear.empty() ? "" : ", ") + text_of(rule, "code");
    }
    std::string made;
    if (!unsure.empty()) made += "  rules that cannot say everything\n" + unsure;
    if (!clear.empty()) made += "  rules that found nothing\n    " + clear + "\n";
    return made;
}

std::string decision_text(const json::object& topology) {
    const auto* found = topology.if_contains("decision");
    if (!found) return "";
    const auto& decision = found->as_object();
    std::string made =
        "  decision: " + text_of(decision, "action") + " (" + text_of(decision, "reason") + ")\n";
    for (const auto& each : array_of(decision, "rules")) {
        const auto& rule = each.as_object();
        std::string keeps = text_of(rule, "keeps");
        made += "    " + text_of(rule, "rule") +
                (keeps.empty() ? " declines: " : " decides for " + keeps + ": ") +
                text_of(rule, "reason") + "\n";
    }
    for (const auto& each : array_of(decision, "fences")) {
        std::string rungs;
        for (const auto& rung : array_of(each.as_object(), "rungs"))
            rungs += (rungs.empty() ? "" : ", then ") + printable(rung.as_string());
        made += "    " + text_of(each.as_object(), "server") + " would be stopped by " +
                (rungs.empty() ? "nothing" : rungs) + "\n";
    }
    for (const auto& obstacle : array_of(decision, "obstacles"))
        made += "    but " + printable(obstacle.as_string()) + "\n";
    return made;
}

std::string fences_text(const json::object& topology) {
    std::string made;
    for (const auto& each : array_of(topology, "fences")) {
        const auto& fence = each.as_object();
        std::string rung = text_of(fence, "rung");
        made += "  fence of " + text_of(fence, "server") + ": " + text_of(fence, "state") +
                (rung.empty() ? "" : " by " + rung) + ": " + text_of(fence, "reason") + "\n";
    }
    return made;
}

std::string methods_text(const json::object& topology) {
    std::string made;
    for (const auto& each : array_of(topology, "methods")) {
        const auto& method = each.as_object();
        if (std::string trouble = text_of(method, "trouble"); !trouble.empty())
            made += "  " + text_of(method, "method") + " could not stop " +
                    text_of(method, "server") + " now: " + trouble + "\n";
    }
    return made;
}

}  // namespace

std::string status_text(const json::object& status, paint how) {
    std::string made;
    for (const auto& each : array_of(status, "topologies")) {
        const auto& topology = each.as_object();
        if (!made.empty()) made += "\n";
        made += headline(topology, how) + facts_line(topology) + servers_table(topology) +
                fences_text(topology);
        for (const auto& found : array_of(topology, "findings"))
            made += finding_line(found.as_object(), how);
    }
    return made;
}

std::string explain_text(const json::object& explanation, paint how) {
    std::string made;
    for (const auto& each : array_of(explanation, "topologies")) {
        const auto& topology = each.as_object();
        if (!made.empty()) made += "\n";
        made += headline(topology, how) + facts_line(topology);
        if (auto doubt = text_of(topology, "incumbent_doubt"); !doubt.empty())
            made += "  the incumbent is uncertain: " + doubt + "\n";
        made += confirmation_line(topology) + servers_table(topology);
        for (const auto& found : array_of(topology, "findings")) {
            made += finding_line(found.as_object(), how);
            for (const auto& line : array_of(found.as_object(), "evidence"))
                if (line.is_string()) made += "    - " + printable(line.as_string()) + "\n";
        }
        made += rules_text(topology);
        made += decision_text(topology) + fences_text(topology) + methods_text(topology);
    }
    return made;
}

int status_exit_code(const json::object& status) {
    auto code_of = [](const std::string& state) {
        if (state == "healthy") return 0;
        if (state == "degraded") return 1;
        if (state == "split_brain" || state == "no_writer") return 2;
        return 3;
    };
    auto urgency = [](int code) { return code == 2 ? 3 : code == 3 ? 2 : code; };
    const auto& topologies = array_of(status, "topologies");
    if (topologies.empty()) return 3;
    int worst = 0;
    for (const auto& each : topologies) {
        int code = code_of(text_of(each.as_object(), "state"));
        if (urgency(code) > urgency(worst)) worst = code;
    }
    return worst;
}

}  // namespace primacy::app
