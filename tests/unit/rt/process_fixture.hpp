// What the tests of child processes share.
#pragma once

#include "agent/rt/process.hpp"
#include "tests/support/run_to_end.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace primacy::tests {

// Keeps every line, those of standard error marked.
struct line_collector final : rt::line_sink {
    std::vector<std::string> lines;
    void line(rt::stream from, std::string_view text) noexcept override {
        lines.push_back((from == rt::stream::errors ? "! " : "") + std::string(text));
    }
};

inline rt::command shell(std::string script) {
    rt::command what;
    what.argv = {"/bin/sh", "-c", std::move(script)};
    what.inherited = {"PATH"};
    return what;
}

inline rt::run_limits within(std::chrono::nanoseconds time) {
    rt::run_limits limits;
    limits.until = rt::deadline::after(time);
    return limits;
}

// Generous: it is there to end a hanging test, not to be reached.
inline rt::run_limits long_enough() {
    return within(std::chrono::seconds(30));
}

inline rt::result<rt::exit_report> run(boost::asio::io_context& context, rt::command what,
                                       rt::run_limits limits = long_enough(),
                                       rt::line_sink* lines = nullptr) {
    rt::system_process_runner runner;
    return run_to_end(context, runner.run(std::move(what), limits, lines));
}

// False for a process that is gone and for a zombie.
inline bool is_running(pid_t id) {
    std::ifstream file("/proc/" + std::to_string(id) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto name_end = text.rfind(')');
    return name_end != std::string::npos && text.at(name_end + 2) != 'Z' &&
           text.at(name_end + 2) != 'X';
}

// False also for a zombie of ours that was reaped.
inline bool exists(pid_t id) {
    return ::kill(id, 0) == 0;
}

inline pid_t number_in(const std::string& text) {
    const auto id = static_cast<pid_t>(std::atoi(text.c_str()));
    REQUIRE(id > 1);
    return id;
}

inline std::size_t open_descriptors() {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

}  // namespace primacy::tests
