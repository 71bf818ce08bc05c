// A password or token from its own file. Knows nothing of what it opens.
// Error sentences name the file and what to do; they never hold any of its content.
#pragma once

#include "agent/rt/error.hpp"

#include <filesystem>
#include <string>

namespace primacy::rt {

// The only line of a regular file of at most 4 KiB, without its line end. A file with any
// permission wider than 0640 is refused; of a symbolic link it is the target that counts.
// Every error is errc::config, with errno where there is one.
result<std::string> read_secret(const std::filesystem::path& path);

}  // namespace primacy::rt
