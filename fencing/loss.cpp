#include "fencing/loss.hpp"

#include "checks/words.hpp"

#include <algorithm>
#include <string_view>

namespace primacy::fencing {

using namespace primacy::checks;

namespace {

// What is longer is no help in the journal, and might not fit into it.
constexpr std::size_t longest_fact = 64 * 1024;

// A word of a POSIX shell's command line that means itself.
std::string quoted(const std::string& word) {
    constexpr std::string_view harmless =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,@%=";
    if (!word.empty() && word.find_first_not_of(harmless) == std::string::npos) return word;
    std::string made = "'";
    for (const char c : word)
        made += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return made + "'";
}

// All from `from` to the end. Encrypted files can be read by the server alone, so it is asked.
std::string extract(std::string tool, const std::string& filter, const binlog_place& from,
                    const binlog_home& home, bool encrypted) {
    std::string line = std::move(tool) + " --verbose" +
                       (encrypted ? " --read-from-remote-server" : "") +
                       " --start-position=" + std::to_string(from.position) +
                       " --stop-position=" + std::to_string(home.end.position) + filter;
    auto file = std::find(home.files.begin(), home.files.end(), from.file);
    for (; file != home.files.end(); ++file) {
        line += " " + quoted(encrypted ? *file : home.folder + *file);
        if (*file == home.end.file) break;
    }
    return line;
}

// From the first of a range on, everything that its server_id wrote in its domain is of the range.
std::string filter_of(const mariadb_excess::range& range, server_version version) {
    std::string filter;
    if (version >= server_version{10, 9, 0})
        filter = " --do-domain-ids=" + std::to_string(range.domain);
    return filter + " --server-id=" + std::to_string(range.server_id);
}

std::string remark_of(const binlog_findings& found) {
    if (!found.first) return place_unknown(found.trouble);
    if (!found.trouble.empty())
        return "the binary log was not looked through to its end: " + found.trouble;
    if (found.encrypted)
        return "its binary log is encrypted: give the command an account that may replicate";
    return "";
}

std::string amount(const loss& lost) {
    return (lost.counted ? "" : "at most ") + words::count(lost.transactions, "transaction");
}

}  // namespace

loss loss_from(const std::string& server, const history_comparison& extra) {
    loss made;
    made.server = server;
    made.cannot_say = extra.cannot_say;
    if (!extra.decided()) return made;
    made.transactions = extra.transactions;
    // A set holds what it holds; a range may hold numbers of other writers, unless it is one.
    made.counted = std::all_of(extra.ranges.begin(), extra.ranges.end(),
                               [](const auto& range) { return range.first == range.last; });
    made.perhaps_more = extra.perhaps_more;
    made.gtids = extra.text;
    return made;
}

std::string place_unknown(const std::string& why) {
    return "where in its binary log is not known: " + why;
}

void add_place(loss& made, const history_comparison& extra, const binlog_findings& found,
               const binlog_home& home) {
    made.end = home.end;
    made.first = found.first;
    made.remark = remark_of(found);
    if (!extra.ranges.empty() && found.complete) {
        made.transactions = found.seen;
        made.counted = true;
    }
    if (found.first && extra.ranges.empty())
        made.extract.push_back(extract("mysqlbinlog",
                                       " --include-gtids=" + quoted(extra.gtids.to_string()),
                                       *found.first, home, found.encrypted));
    for (std::size_t i = 0; i < extra.ranges.size() && i < found.range_begins.size(); ++i)
        if (found.range_begins[i])
            made.extract.push_back(extract("mariadb-binlog",
                                           filter_of(extra.ranges[i], home.version),
                                           *found.range_begins[i], home, found.encrypted));
}

std::string text_of(const loss& lost, const std::string& survivor) {
    const std::string name = "  " + lost.server;
    if (!lost.cannot_say.empty())
        return name + ": what it holds beyond " + survivor + " is not known: " + lost.cannot_say;
    if (lost.transactions == 0)
        return name + " holds nothing that " + survivor + " lacks" +
               (lost.perhaps_more ? ", as far as its history tells" : "");
    std::string text = name + " holds " + amount(lost) + " that " + survivor +
                       " lacks: " + lost.gtids +
                       (lost.perhaps_more ? ", and perhaps others that its history hides" : "");
    if (lost.first)
        text += "\n    in its binary log from " + lost.first->text() + " to " + lost.end->text() +
                "; on its host:";
    for (const auto& line : lost.extract)
        text += "\n    " + line;
    if (!lost.remark.empty()) text += "\n    " + lost.remark;
    return text;
}

std::vector<std::pair<std::string, std::string>> facts_of(const loss& lost) {
    std::vector<std::pair<std::string, std::string>> facts;
    auto add = [&](const std::string& what, std::string value) {
        if (value.size() > longest_fact) value = "too long for the journal; ask again";
        facts.emplace_back(lost.server + " " + what, std::move(value));
    };
    add("read", lost.after_stop ? "after it was stopped" : "while it might still write");
    if (!lost.cannot_say.empty()) {
        add("lost", "not known: " + lost.cannot_say);
        return facts;
    }
    add("lost", amount(lost) + (lost.perhaps_more ? ", perhaps more" : ""));
    if (lost.transactions == 0) return facts;
    add("gtids", lost.gtids);
    if (lost.first) add("first", lost.first->text());
    if (lost.end) add("end", lost.end->text());
    if (!lost.remark.empty()) add("remark", lost.remark);
    for (std::size_t i = 0; i < lost.extract.size(); ++i)
        add("extract" + (i == 0 ? std::string() : " " + std::to_string(i + 1)), lost.extract[i]);
    return facts;
}

}  // namespace primacy::fencing
