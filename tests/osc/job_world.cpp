#include "tests/osc/job_world.hpp"

#include "tests/osc/words.hpp"

#include <algorithm>
#include <cstdlib>

namespace primacy::osc_stories {

using namespace primacy::osc;
using namespace std::chrono_literals;
using fate = process_view::fate;

namespace {

tool tool_named(const std::string& word) {
    return word == "native" ? tool::native : word == "pt-osc" ? tool::pt_osc : tool::gh_ost;
}

std::optional<tool_phase> phase_named(const std::string& word) {
    const std::vector<std::pair<std::string, tool_phase>> all = {
        {"starting", tool_phase::starting}, {"preparing", tool_phase::preparing},
        {"copying", tool_phase::copying},   {"ready", tool_phase::ready},
        {"swapping", tool_phase::swapping}, {"done", tool_phase::done}};
    for (const auto& [each, phase] : all)
        if (each == word) return phase;
    return std::nullopt;
}

std::string clock_of(checks::wall_time at) {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count() % 86'400;
    auto two = [](long number) {
        std::string made = number < 10 ? "0" : "";
        return made += std::to_string(number);
    };
    return two(seconds / 3600) + ":" + two(seconds / 60 % 60) + ":" + two(seconds % 60);
}

}  // namespace

std::string words_for(const job_action& action) {
    static const std::vector<std::string> names = {
        "plan_again",      "start_tool", "hold_tool",        "release_tool",
        "permit_cut_over", "stop_tool",  "look_at_database", "forget_tool"};
    const auto* stop = std::get_if<stop_tool>(&action);
    return names[action.index()] + (stop && stop->hard ? " hard" : "");
}

job_world::job_world() {
    record_.id = "orders-1";
    record_.spec.topology = "shop";
    record_.spec.table = {"shop", "orders"};
    record_.spec.alter = "ADD COLUMN memo TEXT";
    seen_.now = checks::wall_time{} + 20'000 * 24h + 12h;
    record_.created_at = seen_.now;
    seen_.topology.writer_known = true;
    seen_.topology.writer = "db1";
    seen_.queue.may_begin = seen_.queue.may_cut_over = true;
    plan_.chosen = tool::gh_ost;
    plan_.writer = "db1";
    plan_.replicas = {"db2", "db3"};
    plan_.expected.rows = 1'234'567;
    truth_ = database_view{true, true, {}, {}, false, {}};
}

// job tool=native algorithm=INSTANT window=22:00-04:00 attempts=3 cut_over_by_person dry_run
bool job_world::set_job(const std::vector<std::string>& words) {
    job_spec& spec = record_.spec;
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (key == "tool") {
            plan_.chosen = tool_named(text);
            plan_.algorithm = text == "native" ? native_algorithm::instant : native_algorithm::none;
        } else if (key == "window") {
            auto [begin, end] = split_at(text, '-');
            auto from = time_of_day(begin), to = time_of_day(end);
            if (!from || !to) return false;
            spec.window = daily_window{*from, *to};
        } else if (key == "attempts")
            spec.attempts = std::atoi(text.c_str());
        else if (key == "lock_wait")
            spec.lock_wait = std::chrono::seconds(std::atoi(text.c_str()));
        else if (key == "cut_over_by_person")
            spec.cut_over = cut_over_by::person;
        else if (key == "dry_run")
            spec.attempt = trial::dry_run;
        else if (key == "test_on") {
            spec.attempt = trial::test_on_replica;
            spec.test_replica = text;
        } else
            return false;
    }
    return true;
}

// topology split_brain | whole | writer=db2 | writer_unknown | fenced | not_fenced
bool job_world::set_topology(const std::vector<std::string>& words) {
    topology_view& topology = seen_.topology;
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (key == "split_brain" || key == "whole")
            topology.split_brain = key == "split_brain";
        else if (key == "writer") {
            topology.writer_known = true;
            topology.writer = text;
        } else if (key == "writer_unknown") {
            topology.writer_known = false;
            topology.writer = "";
        } else if (key == "fenced" || key == "not_fenced")
            topology.writer_is_fenced = key == "fenced";
        else
            return false;
    }
    return true;
}

// queue free | behind=lines-3 | cutting_over=lines-3
bool job_world::set_queue(const std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (key == "free")
            seen_.queue = {true, true, ""};
        else if (key == "behind")
            seen_.queue = {false, true, text};
        else if (key == "cutting_over")
            seen_.queue = {true, false, text};
        else
            return false;
    }
    return true;
}

// plan fine | writer=db2 | refused=CODE:REASON
bool job_world::set_plan(const std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (key == "fine")
            plan_.refusals.clear();
        else if (key == "writer")
            plan_.writer = text;
        else if (key == "refused") {
            auto [code, reason] = split_at(text, ':');
            plan_.refusals.push_back({code, reason, true});
        } else
            return false;
    }
    return true;
}

// process alive | none | gone | ended | exit=1 | signal=9
bool job_world::set_process(const std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        process_view made;
        if (key == "alive")
            made.what = fate::alive;
        else if (key == "gone")
            made.what = fate::gone;
        else if (key == "exit" || key == "signal") {
            made.what = fate::ended;
            (key == "exit" ? made.exit_code : made.signal) = std::atoi(text.c_str());
        } else if (key != "none")
            return false;
        seen_.process = made;
    }
    return true;
}

// tool copying backlog=5 behind=0.2 failed=1 says_success says="…" says_nothing silent speaks
bool job_world::set_tool(const std::vector<std::string>& words) {
    tool_view& view = seen_.tool;
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (auto phase = phase_named(key))
            view.phase = *phase;
        else if (key == "backlog")
            view.backlog = static_cast<std::uint64_t>(std::atoi(text.c_str()));
        else if (key == "behind")
            view.behind_seconds = std::atof(text.c_str());
        else if (key == "failed")
            view.failed_attempts = std::atoi(text.c_str());
        else if (key == "says_success")
            view.said_success = true;
        else if (key == "says")
            view.failure = text;
        else if (key == "silent" || key == "speaks")
            speaks_ = key == "speaks";
        else
            return false;
    }
    return true;
}

// database altered | unaltered | missing | left="table `x` on db1" | unreadable=db2 | silent
bool job_world::set_database(const std::vector<std::string>& words) {
    truth_ = database_view{false, true, {}, {}, false, {}};
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto [key, text] = split_at(words[i], '=');
        if (key == "silent") {
            truth_.reset();
            return true;
        }
        if (key == "altered" || key == "unaltered")
            truth_->altered = key == "altered";
        else if (key == "missing")
            truth_->table_exists = false;
        else if (key == "left")
            truth_->left.push_back(text);
        else if (key == "replicas_behind")
            truth_->replicas_behind = true;
        else if (key == "unreadable")
            truth_->unreadable.push_back(text);
        else
            return false;
    }
    return true;
}

bool job_world::set_wish(const std::string& wish) {
    if (wish == "pause" || wish == "resume")
        record_.wanted.pause = wish == "pause";
    else if (wish == "cut_over")
        record_.wanted.cut_over = true;
    else if (wish == "abort")
        record_.wanted.abort = true;
    else
        return false;
    return true;
}

// The next time that it is so late, with seconds.
bool job_world::set_time(const std::string& text) {
    auto parts = split_list(text, ':');
    if (parts.size() != 3) return false;
    const auto wanted = std::chrono::hours(std::atoi(parts[0].c_str())) +
                        std::chrono::minutes(std::atoi(parts[1].c_str())) +
                        std::chrono::seconds(std::atoi(parts[2].c_str()));
    const auto of_day = seen_.now.time_since_epoch() % 24h;
    seen_.now += (wanted - of_day + 24h) % 24h;
    return true;
}

void job_world::act(const job_action& action) {
    if (std::get_if<plan_again>(&action)) seen_.planned = plan_;
    if (std::get_if<look_at_database>(&action) && truth_) seen_.database = truth_;
    if (std::get_if<start_tool>(&action)) {
        seen_.tool = {};
        seen_.process = {fate::alive, std::nullopt, std::nullopt};
    }
    if (std::get_if<start_tool>(&action)) was_started_ = true;
    if (std::get_if<forget_tool>(&action)) was_started_ = false;
}

void job_world::print(const job_step& step, std::string& output) {
    const job_record& now = step.next;
    std::string text = std::string(to_string(now.state));
    if (now.state == job_state::paused) text += "(" + std::string(to_string(now.held)) + ")";
    text += ": " + now.sentence;
    std::string actions;
    for (const auto& action : step.actions)
        actions += (actions.empty() ? " [" : ", ") + words_for(action);
    if (!actions.empty()) text += actions + "]";
    if (!actions.empty() && dies_before_acting_) text += " (the agent dies before it acts)";
    if (text == printed_) return;
    printed_ = text;
    output += clock_of(seen_.now) + " " + text + "\n";
}

void job_world::tick(std::string& output) {
    seen_.now += 1s;
    if (!was_started_) seen_.process = {};
    if (speaks_ && seen_.process.what == fate::alive) seen_.tool.last_word_at = seen_.now;
    const job_record before = record_;
    job_step step = supervise(before, seen_);
    if (listener_) listener_({before, seen_, step});
    seen_.planned.reset();
    seen_.database.reset();
    record_ = step.next;
    print(step, output);
    if (!dies_before_acting_)
        for (const auto& action : step.actions)
            act(action);
    dies_before_acting_ = false;
}

bool job_world::execute(const std::string& line, std::string& output, std::string& error) {
    error = "not understood: " + line;
    auto words = words_of(line);
    if (words.empty()) return true;
    const std::string& verb = words[0];
    const std::string rest = after_first_word(line);
    if (verb == "job") return set_job(words);
    if (verb == "topology") return set_topology(words);
    if (verb == "queue") return set_queue(words);
    if (verb == "plan") return set_plan(words);
    if (verb == "process") return set_process(words);
    if (verb == "tool") return set_tool(words);
    if (verb == "database") return set_database(words);
    if (verb == "person") return set_wish(rest);
    if (verb == "time") return set_time(rest);
    if (verb == "long_transaction") {
        seen_.long_transaction = rest == "ends" ? "" : rest;
    } else if (verb == "throttle") {
        seen_.throttle = {};
        if (auto cause = words.size() > 1 ? hold_cause_named(words[1]) : std::nullopt)
            seen_.throttle = {*cause, words.size() > 2 ? words[2] : ""};
    } else if (verb == "restart") {  // what is not in the record is gone
        seen_.planned.reset();
        seen_.database.reset();
    } else if (verb == "dies_before_acting") {
        dies_before_acting_ = true;
    } else if (verb == "wait") {
        auto length = duration_of(rest);
        if (!length) return false;
        seen_.now += *length - 1s;
        tick(output);
    } else if (verb == "tick") {
        for (int left = words.size() > 1 ? std::atoi(words[1].c_str()) : 1; left > 0; --left)
            tick(output);
    } else {
        return false;
    }
    return true;
}

}  // namespace primacy::osc_stories
