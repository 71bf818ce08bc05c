#include "agent/app/osc/cleanup_report.hpp"

#include "agent/app/report/table.hpp"
#include "checks/words.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace primacy::app {

namespace json = boost::json;
namespace words = checks::words;

namespace {

// Where the statement is executed, if that is not said by the server itself.
std::string way_of(const osc::cleanup_line& line, const std::string& writer) {
    if (!line.drop) return "";
    if (line.through == line.what.what.server)
        return line.through == writer ? "" : " (there alone, past its binary log)";
    return " (with the drop on " + line.through + ")";
}

json::object line_json(const osc::cleanup_line& line) {
    const auto& object = line.what.what;
    json::object made{{"server", object.server},
                      {"name", object.name},
                      {"type", object.is_trigger ? "trigger" : "table"},
                      {"kind", osc::to_string(line.what.kind)},
                      {"drop", line.drop},
                      {"why", line.why}};
    if (line.drop) {
        made["statement"] = line.statement;
        made["through"] = line.through;
    }
    return made;
}

json::array lines_json(const std::vector<osc::cleanup_line>& lines) {
    json::array made;
    for (const auto& line : lines)
        made.push_back(line_json(line));
    return made;
}

json::array texts_json(const std::vector<std::string>& texts) {
    return json::array(texts.begin(), texts.end());
}

}  // namespace

std::string cleanup_report(const cleanup_told& what) {
    std::string text = printable("what schema changes left of " + osc::readable(what.table) +
                                 " in " + what.topology) +
                       "\n";
    if (what.found.writer.empty())
        text += printable("  the writer is not known: " + what.found.unknown_because) + "\n";
    for (const auto& sentence : what.found.unread)
        text += printable("  not known: " + sentence) + "\n";
    table lines;
    std::size_t drops = 0;
    for (const auto& line : what.found.lines) {
        const auto& object = line.what.what;
        drops += line.drop;
        lines.rows.push_back({line.drop ? "DROP" : "KEEP", object.server,
                              std::string(osc::to_string(line.what.kind)), printable(object.name),
                              printable(line.why + way_of(line, what.found.writer))});
    }
    text += lines.text();
    if (what.found.lines.empty()) return text + "  nothing\n";
    return text + "  " + std::to_string(drops) + " to drop, " +
           std::to_string(what.found.lines.size() - drops) + " to keep\n";
}

std::string drops_report(const cleanup_told& what) {
    std::string text;
    for (const auto& each : what.done)
        text += printable("  " + each.server + ": " + each.statement +
                          (each.problem.empty() ? ": done" : ": FAILED: " + each.problem)) +
                "\n";
    std::vector<std::string> left;
    for (const auto& line : what.left)
        left.push_back(osc::describe(line.what));
    return text + printable(left.empty() ? "  nothing is left" : "  left: " + words::list(left)) +
           "\n";
}

json::object to_json(const cleanup_told& what) {
    json::array done;
    for (const auto& each : what.done) {
        json::object made{
            {"server", each.server}, {"statement", each.statement}, {"done", each.problem.empty()}};
        if (!each.problem.empty()) made["problem"] = each.problem;
        done.push_back(std::move(made));
    }
    return {{"topology", what.topology},
            {"table", osc::readable(what.table)},
            {"writer", what.found.writer.empty() ? json::value() : json::value(what.found.writer)},
            {"certain", what.found.certain()},
            {"not_known", texts_json(what.found.unread)},
            {"at_work", texts_json(what.found.at_work)},
            {"objects", lines_json(what.found.lines)},
            {"statements", done},
            {"left", lines_json(what.left)}};
}

}  // namespace primacy::app
