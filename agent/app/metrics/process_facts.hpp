// What the kernel says about this process. Absent is what could not be read (no /proc).
// Knows nothing of metrics.
#pragma once

#include <optional>
#include <string_view>

namespace primacy::app::metrics {

struct process_facts {
    std::optional<double> cpu_seconds;  // user and system, since the process started
    std::optional<double> resident_bytes;
    std::optional<double> virtual_bytes;
    std::optional<double> threads;
    std::optional<double> open_descriptors;
    std::optional<double> max_descriptors;
};

// Reads /proc/self; takes longer the more descriptors are open (0.1 µs each, about), so it is
// called on a pool's thread too.
process_facts read_process_facts();

struct kernel_units {
    double ticks_per_second;
    double page_bytes;
};
// Takes the first four facts from the text of /proc/self/stat; a text of another form sets none.
void parse_stat(std::string_view text, kernel_units units, process_facts& into);

}  // namespace primacy::app::metrics
