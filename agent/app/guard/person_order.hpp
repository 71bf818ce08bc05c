// What a person asks of the guard, as it travels over the control socket. Pure.
#pragma once

#include "agent/rt/error.hpp"

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
};

std::string to_json(const person_order& order);
// errc::usage with a sentence for a person: what is missing or not understood.
rt::result<person_order> parse_order(std::string_view json);

}  // namespace primacy::app
