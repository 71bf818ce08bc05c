// "Did you mean …?": the valid name that a mistyped one was probably meant to be.
// Knows nothing of what is named.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::app {

// Letters to insert, remove, replace or swap with their neighbour to get from one to the other.
std::size_t edit_distance(std::string_view from, std::string_view to);

// The closest of `valid`, letter case ignored: at most two edits away (one for names of two or
// three letters) or a third of the name's length; failing that, one that begins like it. Of equals
// the first. Empty when none is close.
std::string_view nearest_name(std::string_view name, const std::vector<std::string_view>& valid);

// "; did you mean \"mode\"?", or nothing.
std::string did_you_mean(std::string_view name, const std::vector<std::string_view>& valid);

}  // namespace primacy::app
