#include "agent/app/metrics/process_facts.hpp"

#include "agent/rt/file.hpp"

#include <charconv>
#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace primacy::app::metrics {

namespace {

std::optional<double> number(std::string_view text) {
    double value = 0;
    auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// The fields after the program's name, which stands in parentheses and may hold anything.
std::vector<std::string_view> fields_after_name(std::string_view text) {
    std::vector<std::string_view> fields;
    auto name_end = text.rfind(')');
    if (name_end == std::string_view::npos) return fields;
    text.remove_prefix(name_end + 1);
    constexpr std::string_view blanks = " \n";
    for (auto begin = text.find_first_not_of(blanks); begin != std::string_view::npos;
         begin = text.find_first_not_of(blanks)) {
        text.remove_prefix(begin);
        fields.push_back(text.substr(0, text.find_first_of(blanks)));
        text.remove_prefix(fields.back().size());
    }
    return fields;
}

std::optional<double> count_descriptors() {
    std::error_code failure;
    std::filesystem::directory_iterator entry("/proc/self/fd", failure);
    if (failure) return std::nullopt;
    double count = -1;  // the directory that is being read is one of them
    for (; entry != std::filesystem::directory_iterator(); entry.increment(failure))
        ++count;
    return count;
}

}  // namespace

void parse_stat(std::string_view text, kernel_units units, process_facts& into) {
    // proc(5) numbers the fields from 1, and the one after the name is field 3.
    auto fields = fields_after_name(text);
    auto field = [&](std::size_t numbered) { return number(fields[numbered - 3]); };
    if (fields.size() < 22) return;
    auto user = field(14), system = field(15), threads = field(20), bytes = field(23),
         pages = field(24);
    if (!user || !system || !threads || !bytes || !pages) return;
    into.cpu_seconds = (*user + *system) / units.ticks_per_second;
    into.threads = threads;
    into.virtual_bytes = bytes;
    into.resident_bytes = *pages * units.page_bytes;
}

process_facts read_process_facts() {
    process_facts facts;
    auto stat = rt::read_file("/proc/self/stat", 4096);
    kernel_units units{static_cast<double>(::sysconf(_SC_CLK_TCK)),
                       static_cast<double>(::sysconf(_SC_PAGESIZE))};
    if (stat) parse_stat(*stat, units, facts);
    facts.open_descriptors = count_descriptors();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0)
        facts.max_descriptors = static_cast<double>(limit.rlim_cur);
    return facts;
}

}  // namespace primacy::app::metrics
