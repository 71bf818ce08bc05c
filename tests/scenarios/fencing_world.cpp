#include "tests/scenarios/fencing_world.hpp"

#include "fencing/resolve.hpp"

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace primacy::scenarios {

using namespace primacy::checks;
using namespace primacy::fencing;

namespace {

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

std::vector<std::string> parts_of(const std::string& text, char separator) {
    std::istringstream in(text);
    std::vector<std::string> parts;
    for (std::string part; std::getline(in, part, separator);)
        parts.push_back(part);
    return parts;
}

std::string rest_of(const std::vector<std::string>& words, std::size_t from) {
    std::string text;
    for (std::size_t i = from; i < words.size(); ++i)
        text += (text.empty() ? "" : " ") + words[i];
    return text;
}

std::string clock_text(moment at) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1fs",
                  std::chrono::duration<double>(at.time_since_epoch()).count());
    return text;
}

std::optional<keep_rule> rule_named(const std::string& name) {
    for (auto rule : {keep_rule::pin, keep_rule::incumbent, keep_rule::replicas, keep_rule::gtid})
        if (to_string(rule) == name) return rule;
    return std::nullopt;
}

std::optional<fence_stage> stage_named(const std::string& name) {
    for (auto stage : all_fence_stages())
        if (to_string(stage) == name) return stage;
    return std::nullopt;
}

std::vector<rung> ladder_of(const std::string& names) {
    std::vector<rung> rungs;
    for (const auto& name : parts_of(names, ','))
        rungs.push_back({name, name == "sql", std::chrono::seconds(10)});
    return rungs;
}

}  // namespace

fencing_world::fencing_world() {
    policy_.enforce = true;
    policy_.needs_lease = false;
    world_.listen([this](const judged& now) { decide_now(now); });
}

bool fencing_world::set_fencing(const std::vector<std::string>& words) {
    for (std::size_t i = 1; i < words.size(); ++i) {
        auto equals = words[i].find('=');
        std::string key = words[i].substr(0, equals);
        std::string text = equals == std::string::npos ? "" : words[i].substr(equals + 1);
        duration length{};
        if (key == "observe") {
            policy_.enforce = false;
        } else if (key == "enforce") {
            policy_.enforce = true;
        } else if (key == "fence_all") {
            policy_.fence_all = true;
        } else if (key == "fence_unseen") {
            policy_.fence_unseen = true;
        } else if (key == "needs_lease") {
            policy_.needs_lease = true;
        } else if (key == "pin") {
            policy_.pin = text;
        } else if (key == "max_fences") {
            policy_.max_fences = std::stoi(text);
        } else if (key == "expected_writers") {
            policy_.expected_writers = std::stoi(text);
        } else if (key == "per" && parse_duration(text, length)) {
            policy_.per = length;
        } else if (key == "cooldown" && parse_duration(text, length)) {
            policy_.cooldown = length;
        } else if (key == "keep") {
            policy_.keep.clear();
            for (const auto& name : parts_of(text, ',')) {
                auto rule = rule_named(name);
                if (!rule) return false;
                policy_.keep.push_back(*rule);
            }
        } else if (key == "ladder") {  // ladder=db1:sql,ssh
            auto colon = text.find(':');
            if (colon == std::string::npos) return false;
            policy_.ladders[text.substr(0, colon)] = ladder_of(text.substr(colon + 1));
        } else {
            return false;
        }
    }
    return true;
}

bool fencing_world::set_lease(const std::vector<std::string>& words) {
    if (words.size() < 2) return false;
    lease_left_.reset();
    if (words[1] == "held") {
        lease_.held = true;
        lease_.acquired_at = world_.now();
        ++lease_.epoch;
        duration left{};
        if (words.size() == 3 && parse_duration(words[2], left)) {
            lease_left_ = left;
            lease_.valid_until = world_.now() + left;
        }
        return true;
    }
    lease_.held = false;
    lease_.why = rest_of(words, 2);
    return words[1] == "lost";
}

bool fencing_world::set_maintenance(const std::vector<std::string>& words) {
    duration length{};
    if (words.size() == 2 && words[1] == "off") {
        state_.maintenance.reset();
        return true;
    }
    if (words.size() < 3 || !parse_duration(words[1], length)) return false;
    state_.maintenance = maintenance_window{world_.now() + length, rest_of(words, 2)};
    return true;
}

// fence db1 in_progress | fence db1 confirmed by sql | fence db1 failed by sql interrupted |
// fence db1 none
bool fencing_world::end_fence(const std::vector<std::string>& words) {
    if (words.size() < 3) return false;
    const std::string& server = words[1];
    auto stage = stage_named(words[2]);
    if (!stage) return false;
    moment at = world_.now();
    if (*stage == fence_stage::none) {
        fence_released(state_, server);
    } else if (*stage == fence_stage::in_progress) {
        fence_started(state_, server, {server + "-1", last_.survivors, planned(server).unseen}, at);
    } else if (*stage == fence_stage::manual) {
        fence_confirmed_by_person(state_, server, at);
        world_.note_stopped(server);
    } else if (words.size() >= 5 && words[3] == "by") {
        const bool interrupted = words.size() == 6 && words[5] == "interrupted";
        if (words.size() > 5 && !interrupted) return false;
        fence_ended(state_, server, {*stage, words[4], "", interrupted}, at);
        if (*stage == fence_stage::confirmed) world_.note_stopped(server);
    } else {
        return false;
    }
    return true;
}

// As the last decision had it.
fence_plan fencing_world::planned(const std::string& server) const {
    for (const auto& plan : last_.fences)
        if (plan.server == server) return plan;
    fence_plan plan;
    plan.server = server;
    return plan;
}

bool fencing_world::ask_why_stop(const std::vector<std::string>& words, std::string& output) {
    if (words.size() != 2 || !verdict_) return false;
    const fence_plan plan = planned(words[1]);
    std::string why = why_stop(plan, last_.survivors, seen_, *verdict_, state_, lease_, policy_);
    auto record = state_.servers.find(words[1]);
    bool stopped = record != state_.servers.end() &&
                   seen_stopped(plan, seen_, *verdict_, record->second.started_at);
    output += words[1] + (why.empty() ? ": go on" : ": stop, " + why) +
              (stopped ? ", it is seen stopped\n" : "\n");
    return true;
}

void fencing_world::decide_now(const judged& now) {
    if (!lease_left_) lease_.valid_until = now.seen.at + std::chrono::seconds(6);
    policy_.stale_after = now.policy.stale_after();
    for (const auto& server : now.seen.servers)
        if (!policy_.ladders.contains(server.name)) policy_.ladders[server.name] = ladder_of("sql");
    for (const auto& event : follow(state_, now.seen, now.verdict))
        said_ += clock_text(now.seen.at) + " event: " + event.sentence + "\n";
    decision made = decide(now.seen, now.verdict, state_, lease_, policy_);
    remember(state_, made, now.seen.at);
    print(made);
    // Kept for why_stop; once something is under way, the survivors of its decision count.
    seen_ = now.seen;
    verdict_ = judge(seen_, now.before, now.policy);
    if (!made.survivors.empty() || last_.survivors.empty()) last_ = std::move(made);
}

void fencing_world::print(const decision& made) {
    std::string text = std::string(to_string(made.what)) + ": " + made.reason + "\n";
    for (const auto& asked : made.rules)
        text += "  " + std::string(to_string(asked.rule)) +
                (asked.keeps.empty() ? " declines: " : " decides for " + asked.keeps + ": ") +
                asked.reason + "\n";
    for (const auto& plan : made.fences) {
        text += "  " + plan.server + " by";
        for (const auto& each : plan.rungs)
            text += " " + each.name;
        if (plan.rungs.empty()) text += " nothing";
        text += plan.valid_until == moment{} ? ", not now\n" : "\n";
    }
    for (const auto& obstacle : made.obstacles)
        text += "  but " + obstacle + "\n";
    if (text == printed_) return;
    printed_ = text;
    said_ += clock_text(world_.now()) + " " + text;
}

bool fencing_world::execute(const std::string& line, std::string& output, std::string& error) {
    auto words = words_of(line);
    if (words.empty()) return true;
    error = "not understood: " + line;
    const std::string& verb = words[0];
    if (verb == "fencing") return set_fencing(words);
    if (verb == "lease") return set_lease(words);
    if (verb == "maintenance") return set_maintenance(words);
    if (verb == "fence") return end_fence(words);
    if (verb == "why_stop") return ask_why_stop(words, output);
    if (verb == "resolve") {
        if (words.size() != 2 || !verdict_) return false;
        output += text_of(plan_resolve(seen_, *verdict_, state_, policy_, words[1])) + "\n";
        return true;
    }
    if (verb == "pin") {
        state_.pin = words.size() > 1 ? words[1] : "";
        return true;
    }
    std::string judged_text;
    said_.clear();
    bool understood = world_.execute(line, judged_text, error);
    output += said_;
    return understood;
}

}  // namespace primacy::scenarios
