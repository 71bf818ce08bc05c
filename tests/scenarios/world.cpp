#include "tests/scenarios/world.hpp"

#include "checks/words.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <sstream>

namespace primacy::scenarios {

using namespace primacy::checks;

namespace {

std::vector<std::string> split_words(std::string_view text) {
    // Blanks separate; a word may hold a "quoted text with blanks".
    std::vector<std::string> words;
    std::string word;
    bool quoted = false;
    for (char c : text) {
        if (c == '"') {
            quoted = !quoted;
        } else if (c == ' ' && !quoted) {
            if (!word.empty()) words.push_back(std::move(word));
            word.clear();
        } else {
            word += c;
        }
    }
    if (!word.empty()) words.push_back(std::move(word));
    return words;
}

std::string clock_text(moment at) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1fs",
                  std::chrono::duration<double>(at.time_since_epoch()).count());
    return text;
}

}  // namespace

bool parse_duration(std::string_view text, duration& value) {
    double number = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc()) return false;
    std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    double factor = unit == "ms" ? 1e6 : unit == "s" ? 1e9 : unit == "m" ? 60e9 : 0;
    value = duration(static_cast<std::int64_t>(number * factor));
    return factor > 0;
}

bool world::set_policy(std::string_view words) {
    for (const auto& word : split_words(words)) {
        auto equals = word.find('=');
        if (equals == std::string::npos) return false;
        std::string key = word.substr(0, equals), text = word.substr(equals + 1);
        duration length{};
        bool is_length = parse_duration(text, length);
        if (key == "poll" && is_length)
            policy_.poll_interval = length;
        else if (key == "timeout" && is_length)
            policy_.probe_timeout = length;
        else if (key == "confirm_for" && is_length)
            policy_.confirm_for = length;
        else if (key == "lag_warn" && is_length)
            policy_.lag_warn = length;
        else if (key == "confirm_polls")
            policy_.confirm_polls = std::stoi(text);
        else if (key == "expected_writers")
            policy_.expected_writers = std::stoi(text);
        else
            return false;
    }
    return true;
}

bool world::add_server(std::string_view words) {
    auto all = split_words(words);
    if (all.empty()) return false;
    actor made;
    made.name = made.host = all[0];
    made.facts.server_id = static_cast<std::uint32_t>(actors_.size() + 1);
    made.facts.version = {10, 11, 19};
    made.facts.version_text = "10.11.19-MariaDB";
    made.facts.read_only = parse_read_only("1");
    made.facts.log_slave_updates = true;
    made.facts.log_bin = true;
    made.facts.binlog_state = mariadb_gtid_state::parse("0-1-100");
    made.facts.slave_pos = mariadb_gtid_state::parse("");
    made.facts.details.bypass_accounts.emplace();
    made.facts.details.boots_writable = false;
    made.facts.details.semisync.emplace();
    for (std::size_t i = 1; i < all.size(); ++i)
        if (!apply_word(made, all[i])) return false;
    server_view view;
    view.name = made.name;
    view.host = made.host;
    view.port = made.port;
    view.address = made.host + ":" + std::to_string(made.port);
    seen_.servers.push_back(std::move(view));
    actors_.push_back(std::move(made));
    return true;
}

bool world::change_server(const std::string& name, std::string_view words) {
    for (auto& server : actors_) {
        if (server.name != name && name != "all") continue;
        for (const auto& word : split_words(words))
            if (!apply_word(server, word)) return false;
        if (name != "all") return true;
    }
    return name == "all";
}

// As after a reload of a configuration that no longer names the server.
bool world::remove_server(const std::string& name) {
    for (std::size_t i = 0; i < actors_.size(); ++i) {
        if (actors_[i].name != name) continue;
        actors_.erase(actors_.begin() + static_cast<std::ptrdiff_t>(i));
        seen_.servers.erase(seen_.servers.begin() + static_cast<std::ptrdiff_t>(i));
        last_ = {};
        return true;
    }
    return false;
}

// One attempt at this server ends now, unless it hangs.
void world::finish_probe(std::size_t index) {
    const actor& server = actors_[index];
    if (server.hangs) return;
    server_view& view = seen_.servers[index];
    attempt made;
    made.number = view.newest.number + 1;
    made.started_at = now_ - server.takes;
    made.finished_at = now_ + std::chrono::milliseconds(1);
    made.failure = server.failure;
    made.error = server.error;
    if (made.failure == probe_failure::none) {
        made.facts = std::make_shared<const server_facts>(server.facts);
        view.before_good = std::move(view.last_good);
        view.last_good = made;
    }
    view.newest = std::move(made);
}

void world::poll_once(std::string& output) {
    pass_time(policy_.poll_interval, output);
    for (std::size_t i = 0; i < actors_.size(); ++i)
        finish_probe(i);
    judge_after_probes(output);
}

// Probes of one poll come back one after the other; the agent may judge in between.
bool world::read_some(const std::vector<std::string>& names, std::string& output) {
    for (const auto& name : names) {
        auto named = [&](const actor& server) { return server.name == name; };
        auto found = std::find_if(actors_.begin(), actors_.end(), named);
        if (found == actors_.end()) return false;
        finish_probe(static_cast<std::size_t>(found - actors_.begin()));
    }
    judge_after_probes(output);
    return true;
}

void world::judge_after_probes(std::string& output) {
    now_ += std::chrono::milliseconds(2);
    judge_now(output);
    now_ -= std::chrono::milliseconds(2);
}

// Time passes without a reading; like the agent, judges again when the judge asked for it.
void world::pass_time(duration length, std::string& output) {
    moment end = now_ + length;
    while (last_.judge_again_at && *last_.judge_again_at < end) {
        now_ = std::max(now_, *last_.judge_again_at);
        judge_now(output);
        // It must not ask for the past; a story would never end.
        if (last_.judge_again_at && *last_.judge_again_at <= now_) break;
    }
    now_ = end;
}

void world::judge_now(std::string& output) {
    seen_.at = now_;
    last_ = judge(seen_, state_, policy_);
    if (listener_) listener_({seen_, state_, policy_, last_});
    state_ = last_.next;
    print_if_changed(last_, output);
}

void world::print_if_changed(const judgement& verdict, std::string& output) {
    std::string block = std::string(to_string(verdict.state)) + ": " + verdict.reason + "\n";
    std::string roles;
    for (std::size_t i = 0; i < seen_.servers.size(); ++i)
        roles += (i ? " " : "") + seen_.servers[i].name + "=" +
                 std::string(to_string(verdict.graph.members[i].role));
    block += "  " + roles + "; incumbent ";
    const auto& who = verdict.next.watch.who;
    block += who ? who->server + (who->watched ? "" : " (uncertain)") : "none";
    block += "\n";
    for (const auto& found : verdict.findings)
        block += "  " + std::string(to_string(found.level)) + " " +
                 std::string(to_string(found.code)) + " [" + found.subject + "] " + found.reason +
                 "\n";
    if (block == printed_ && verdict.events.empty()) return;
    std::string shown =
        block == printed_ ? "still " + std::string(to_string(verdict.state)) + "\n" : block;
    printed_ = block;
    output += clock_text(now_) + " " + shown;
    for (const auto& event : verdict.events)
        output += "  event: " + event + "\n";
}

void world::explain(std::string& output) const {
    for (const auto& found : last_.findings) {
        output += std::string(to_string(found.code)) + " [" + found.subject + "]\n";
        for (const auto& line : found.evidence)
            output += "  - " + line + "\n";
    }
    for (const auto& rule : last_.rules)
        if (!rule.cannot_say.empty())
            output += std::string(to_string(rule.code)) + " cannot say: " + rule.cannot_say + "\n";
}

void world::restart(bool reboot) {
    watch_memory memory = remember(state_);
    memory.same_boot = !reboot;
    state_ = {};
    state_.watch = recall(std::move(memory));
    for (auto& view : seen_.servers) {
        view.newest = {};
        view.last_good = {};
        view.before_good = {};
    }
    last_ = {};
    printed_.clear();
}

bool world::execute(const std::string& line, std::string& output, std::string& error) {
    error = "not understood: " + line;
    auto words = split_words(line);
    if (words.empty()) return true;
    const std::string& verb = words[0];
    std::string rest = line.size() > verb.size() ? line.substr(verb.size() + 1) : "";
    if (verb == "policy") return set_policy(rest);
    if (verb == "server") return add_server(rest);
    if (verb == "poll") {
        int count = words.size() > 1 ? std::stoi(words[1]) : 1;
        for (int i = 0; i < count; ++i)
            poll_once(output);
        return true;
    }
    if (verb == "wait") {
        duration length{};
        if (words.size() != 2 || !parse_duration(words[1], length)) return false;
        pass_time(length, output);
        return true;
    }
    if (verb == "pause") {  // the agent itself stands still: nobody reads, nobody judges
        duration length{};
        if (words.size() != 2 || !parse_duration(words[1], length)) return false;
        now_ += length;
        return true;
    }
    if (verb == "read") return read_some({words.begin() + 1, words.end()}, output);
    if (verb == "remove") return words.size() == 2 && remove_server(words[1]);
    if (verb == "judge") return judge_now(output), true;
    if (verb == "explain") return explain(output), true;
    if (verb == "restart") return restart(words.size() > 1 && words[1] == "reboot"), true;
    if (verb.back() == ':') return change_server(verb.substr(0, verb.size() - 1), rest);
    return false;
}

}  // namespace primacy::scenarios
