// The made-up topology of a scenario file: servers with facts or failures, and a clock that only
// the story moves.
#pragma once

#include "checks/judge.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace primacy::scenarios {

struct actor {
    std::string name, host;
    std::uint16_t port = 3306;
    checks::server_facts facts;
    checks::probe_failure failure = checks::probe_failure::none;
    std::string error;
    bool hangs = false;        // its probe does not come back: no new attempt at all
    checks::duration takes{};  // how long before its end a probe of it began
    std::size_t selected = 0;  // the channel that words are about
    bool named = false;        // "channel=" came just before: "from=" fills that channel
};

// Applies one word of a line "db1: word word …"; false when the word is not understood.
bool apply_word(actor& server, std::string_view word);
// Durations as in the configuration: "250ms", "2s", "10m".
bool parse_duration(std::string_view text, checks::duration& value);

// One judgement with all that went into it; for tests that look at every one.
struct judged {
    const checks::observation& seen;
    const checks::judging_state& before;
    const checks::judging_policy& policy;
    const checks::judgement& verdict;
};

class world {
public:
    // Called after every judgement.
    void listen(std::function<void(const judged&)> listener) { listener_ = std::move(listener); }
    // What a fence, or a person's word, does to the judge's memory.
    void note_stopped(const std::string& server) { state_.stopped[server] = now_; }
    checks::moment now() const { return now_; }
    // Executes one command line; what it makes the judge say is appended to `output`. False and a
    // sentence in `error` when the line is not understood.
    bool execute(const std::string& line, std::string& output, std::string& error);

private:
    bool set_policy(std::string_view words);
    bool add_server(std::string_view words);
    bool change_server(const std::string& name, std::string_view words);
    void restart(bool reboot);
    bool remove_server(const std::string& name);
    void poll_once(std::string& output);
    bool read_some(const std::vector<std::string>& names, std::string& output);
    void finish_probe(std::size_t index);
    void judge_after_probes(std::string& output);
    void pass_time(checks::duration length, std::string& output);
    void judge_now(std::string& output);
    void print_if_changed(const checks::judgement& verdict, std::string& output);
    void explain(std::string& output) const;

    std::vector<actor> actors_;
    checks::judging_policy policy_;
    checks::observation seen_;
    checks::judging_state state_;
    checks::judgement last_;
    checks::moment now_{};
    std::string printed_;
    std::function<void(const judged&)> listener_;
};

}  // namespace primacy::scenarios
