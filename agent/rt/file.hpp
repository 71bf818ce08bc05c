// Small files as a whole: read under a limit, replaced so that nobody ever sees half of one.
// All calls block for as long as the disk takes. Knows nothing of what is in the files.
#pragma once

#include "agent/rt/descriptor.hpp"
#include "agent/rt/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace primacy::rt {

enum class durability {
    durable,  // on disk before the call returns: survives a power cut
    cached,   // in the page cache: survives our own death, not the machine's
};

// The whole content. Only regular files are read, so that a fifo cannot stall the caller.
// A file larger than `limit_bytes` is errc::limit, anything else errc::io.
result<std::string> read_file(const std::filesystem::path& path, std::size_t limit_bytes);

// Reads an open descriptor to its end; `name` is for the error text.
result<std::string> read_to_end(const descriptor& from, std::size_t limit_bytes,
                                std::string_view name);

// Writes all bytes; on an error some of them may have been written.
result<void> write_all(const descriptor& to, std::string_view bytes, std::string_view name);

// Readers see the old content or the new one, whatever dies in between. The new content is written
// to `path`.new beside it; what a killed writer left there is written over, and a second writer at
// the same moment gets errc::io. A symbolic link at `path` is replaced, not followed.
result<void> replace_file(const std::filesystem::path& path, std::string_view bytes, durability how,
                          mode_t mode = 0640);

// Makes the directory and its missing parents (those with 0755). One that exists keeps its mode.
result<void> ensure_directory(const std::filesystem::path& path, mode_t mode);

// Makes renames and creations inside the directory durable.
result<void> sync_directory(const std::filesystem::path& directory);

}  // namespace primacy::rt
