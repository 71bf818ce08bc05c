// One tool at work for one job: how it is started, what its output says, how it is held, let go,
// allowed to swap and ended. Each driver is an adapter to one tool; when and why is decided
// elsewhere. The tool runs as a detached program: a driver that was made after a restart hears its
// output from the beginning and knows what the one before knew.
//
// Promises of every driver: no secret in argv or in what is shown (S11); each call ends by its
// deadline (S8); doing something twice does no harm; an error says what to do.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/detached.hpp"
#include "agent/rt/error.hpp"
#include "osc/supervise.hpp"
#include "osc/tool_ending.hpp"

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::osc {

struct private_file {
    std::string path;
    std::string text;
};

struct tool_start {
    std::vector<private_file> files;  // written with mode 0600 before the start
    std::vector<std::string> argv;
};

struct row_count {
    std::uint64_t copied = 0;
    std::uint64_t estimated = 0;  // 0: not known
};

enum class tool_stream { output, errors };

class tool_driver {
public:
    virtual ~tool_driver() = default;

    virtual rt::result<tool_start> start() = 0;
    // The program that was started or found again.
    virtual void follow(const rt::process_identity& program) = 0;
    // One line that it has printed, and when we read it (or, of older ones, their file's time).
    virtual void hear(tool_stream from, std::string_view line, checks::wall_time at) = 0;
    virtual tool_view view() const = 0;
    // What became of it by its exit status and its words, once it has ended.
    virtual tool_ending ending(const process_status& status) const = 0;
    virtual std::optional<row_count> rows() const = 0;
    // By the tool's own estimate, where it has one.
    virtual std::optional<double> ratio() const { return std::nullopt; }

    // Asks it for news, where it can be asked.
    virtual boost::asio::awaitable<rt::result<void>> look(rt::deadline until) = 0;
    virtual boost::asio::awaitable<rt::result<void>> hold(rt::deadline until) = 0;
    virtual boost::asio::awaitable<rt::result<void>> release(rt::deadline until) = 0;
    // One bounded attempt to swap.
    virtual boost::asio::awaitable<rt::result<void>> permit_cut_over(rt::deadline until) = 0;
    virtual boost::asio::awaitable<rt::result<void>> stop(bool hard, rt::deadline until) = 0;
};

}  // namespace primacy::osc
