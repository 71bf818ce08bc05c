// What a person may ask of a schema change that is under way. Pure.
#pragma once

#include <string_view>

namespace primacy::app {

enum class job_wish { pause, resume, cut_over, abort };
std::string_view to_string(job_wish wish) noexcept;

}  // namespace primacy::app
