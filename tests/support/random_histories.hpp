// Random histories, each a story that nobody wrote: after every step a referee looks whether what
// must always hold still does. One that fails is made as short as it gets and printed: it can be
// pasted into a story. PRIMACY_SEED=<number> repeats a run.
//
// A World has `bool execute(line, std::string& output, std::string& error)` and `listen(function)`;
// a Referee has `std::string look(step)`, empty when nothing is violated; a Storyteller is made of
// a random number and has `script tell()`.
#pragma once

#include "tests/support/random.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace primacy::tests {

using script = std::vector<std::string>;

// What the first violated line violates; empty when none does. `count` is told of every step.
template <class World, class Referee, class Count>
std::string play(const script& lines, Count count) {
    World stage;
    Referee watching;
    std::string violated, said, error;
    stage.listen([&](const auto& now) {
        count(now);
        if (violated.empty()) violated = watching.look(now);
    });
    for (const auto& line : lines) {
        if (!stage.execute(line, said, error)) return "";  // shortened beyond sense
        if (!violated.empty()) return violated;
    }
    return "";
}

template <class World, class Referee>
std::string play(const script& lines) {
    return play<World, Referee>(lines, [](const auto&) {});
}

template <class World, class Referee>
script shortened(script lines) {
    for (bool shorter = true; shorter;) {
        shorter = false;
        for (std::size_t i = 0; i < lines.size(); ++i) {
            script fewer = lines;
            fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
            if (play<World, Referee>(fewer).empty()) continue;
            lines = fewer;
            shorter = true;
        }
    }
    return lines;
}

// False, and a failed check, at the first history that violates something.
template <class World, class Referee, class Storyteller, class Count>
bool holds_in_random_histories(int histories, Count count) {
    auto random = seeded_random();
    for (int history = 0; history < histories; ++history) {
        script lines = Storyteller(random()).tell();
        if (play<World, Referee>(lines, count).empty()) continue;
        std::string text;
        for (const auto& line : lines = shortened<World, Referee>(lines))
            text += line + "\n";
        FAIL_CHECK("history " << history << ": " << play<World, Referee>(lines) << "\n" << text);
        return false;
    }
    return true;
}

}  // namespace primacy::tests
