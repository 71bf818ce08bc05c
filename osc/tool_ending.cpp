#include "osc/tool_ending.hpp"

namespace primacy::osc {

namespace {

// By Linux's numbers, those that end these tools.
std::string_view signal_name(int signal) {
    switch (signal) {
        case 1: return "SIGHUP";
        case 2: return "SIGINT";
        case 3: return "SIGQUIT";
        case 6: return "SIGABRT";
        case 9: return "SIGKILL";
        case 11: return "SIGSEGV";
        case 13: return "SIGPIPE";
        case 15: return "SIGTERM";
        default: return "";
    }
}

}  // namespace

std::string_view to_string(tool_verdict verdict) noexcept {
    switch (verdict) {
        case tool_verdict::succeeded: return "succeeded";
        case tool_verdict::said_so: return "said so";
        case tool_verdict::failed: return "failed";
        case tool_verdict::unclear: return "unclear";
    }
    return "unclear";
}

std::string_view to_string(leftovers what) noexcept {
    switch (what) {
        case leftovers::none: return "none";
        case leftovers::possible: return "possible";
        case leftovers::certain: return "certain";
    }
    return "possible";
}

std::string describe(const process_status& status) {
    if (status.signal) {
        const auto name = signal_name(*status.signal);
        const std::string number = "signal " + std::to_string(*status.signal);
        return name.empty() ? number : number + " (" + std::string(name) + ")";
    }
    if (status.exit_code) return "exit code " + std::to_string(*status.exit_code);
    return "an unknown exit status";
}

}  // namespace primacy::osc
