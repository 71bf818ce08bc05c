// What a person asks of the guard and what comes of it, as both travel over the control socket.
// Pure.
#pragma once

#include "agent/rt/error.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace primacy::app {

enum class person_verb {
    pin,              // this server is the one to keep
    unpin,            // nobody is
    maintenance_on,   // nothing is to be stopped for a while
    maintenance_off,  // that is over
    confirm_fenced,   // I have seen to it that this server is stopped
    unfence,          // this server is given back, and may write
    fence,            // stop this server now
    resolve           // keep this server: stop all other writers, then open it
};
std::string_view to_string(person_verb verb) noexcept;

struct person_order {
    person_verb verb = person_verb::pin;
    std::string topology;
    std::string server;             // empty for unpin and maintenance
    std::string reason;             // never empty
    std::string by;                 // who asks; filled in by whoever receives it
    std::chrono::seconds length{};  // of maintenance
    bool dry_run = false;           // only say what would be done
    // What the person has seen of the plan and said yes to; empty: did not look. Another plan than
    // that is not carried out.
    std::string agreed;
};

struct order_answer {
    enum class outcome {
        done,
        refused,  // nothing was changed
        failed    // not done, or not all of it; the sentence says what is
    };
    outcome how = outcome::done;
    std::string sentence;         // for a person; several lines for a plan
    boost::json::object details;  // of a resolve: the plan, what came of it, what is lost with it

    bool done() const noexcept { return how == outcome::done; }
};
order_answer answer_done(std::string sentence);
order_answer answer_refused(std::string why);
order_answer answer_failed(std::string why);

std::string to_json(const person_order& order);
// One line; and back, errc::protocol when it is no answer.
std::string to_json(const order_answer& answer);
rt::result<order_answer> parse_answer(std::string_view json);
// errc::usage with a sentence for a person: what is missing or not understood.
rt::result<person_order> parse_order(std::string_view json);

}  // namespace primacy::app
