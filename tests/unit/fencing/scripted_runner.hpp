// A process_runner that starts nothing: each run takes the next ending of a script and is recorded.
#pragma once

#include "agent/rt/process.hpp"

#include <boost/asio/awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace primacy::tests {

class scripted_runner final : public rt::process_runner {
public:
    struct run_record {
        rt::command what;
        rt::deadline until;
    };
    std::vector<run_record> runs;

    scripted_runner& ends(int code, std::string output = "", std::string errors = "") {
        rt::exit_report report;
        report.ending = rt::exited{code};
        report.output = {std::move(output), 0, true};
        report.errors = {std::move(errors), 0, true};
        script_.push_back(std::move(report));
        return *this;
    }
    scripted_runner& ends_by_signal(int number) {
        rt::exit_report report;
        report.ending = rt::signalled{number};
        script_.push_back(std::move(report));
        return *this;
    }
    scripted_runner& times_out(std::string output = "") {
        rt::exit_report report;
        report.ending = rt::timed_out{true};
        report.output = {std::move(output), 0, true};
        script_.push_back(std::move(report));
        return *this;
    }
    scripted_runner& fails(rt::errc code, std::string message) {
        script_.push_back(rt::error{code, 0, std::move(message)});
        return *this;
    }

    boost::asio::awaitable<rt::result<rt::exit_report>> run(rt::command what, rt::run_limits limits,
                                                            rt::line_sink*) override {
        runs.push_back({std::move(what), limits.until});
        if (script_.empty()) {
            rt::error more{rt::errc::internal, 0, "the script has no such run"};
            co_return more;
        }
        auto next = std::move(script_.front());
        script_.pop_front();
        co_return next;
    }

    bool finished() const { return script_.empty(); }
    // Whether the text is anywhere in a command line or an environment.
    bool shows(const std::string& text) const {
        return std::any_of(runs.begin(), runs.end(), [&text](const run_record& each) {
            const auto& what = each.what;
            return std::any_of(
                       what.argv.begin(), what.argv.end(),
                       [&text](const auto& word) { return word.find(text) != word.npos; }) ||
                   std::any_of(what.environment.begin(), what.environment.end(),
                               [&text](const auto& pair) {
                                   return pair.second.find(text) != std::string::npos;
                               });
        });
    }

private:
    std::deque<rt::result<rt::exit_report>> script_;
};

}  // namespace primacy::tests
