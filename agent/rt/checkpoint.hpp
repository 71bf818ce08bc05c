// Named places between two steps of an act, where a test may kill or stop the agent. The program
// that ships links the empty one (checkpoint.cpp) and cannot be told otherwise; a program of tests
// brings its own definition (tests/tools/checkpoint_hook.cpp), and the linker takes that one.
// Must not decide anything, wait, or be relied on by what ships.
#pragma once

#include <string_view>

namespace primacy::rt {

// Passed by whoever is about to take the step `step`, or has just taken it. Names are stable:
// "part.what", lower case; `of` is a last word that only the caller knows ("noted", "intent").
void checkpoint(std::string_view step, std::string_view of = {}) noexcept;

}  // namespace primacy::rt
