#include "osc/drivers/gh_ost.hpp"

#include "agent/rt/conversation.hpp"
#include "agent/rt/file.hpp"
#include "osc/gh_ost_ending.hpp"
#include "osc/gh_ost_output.hpp"
#include "osc/gh_ost_reply.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>

namespace primacy::osc {

namespace asio = boost::asio;
using rt::deadline;
using rt::result;

namespace {

class gh_ost_driver final : public tool_driver {
public:
    gh_ost_driver(asio::any_io_executor executor, gh_ost_setup setup)
        : executor_(std::move(executor)), in_(std::move(setup)) {}

    result<tool_start> start() override {
        client_file_text client = client_file_of(in_.login, tool::gh_ost);
        if (!client.problem.empty()) return rt::error{rt::errc::config, 0, client.problem};
        tool_start made;
        made.files = {{in_.files.client_file, client.text}};
        // It never swaps by itself: the file stays until the end, and each attempt is permitted.
        if (in_.job.spec.attempt == trial::none)
            made.files.push_back({in_.files.postpone_flag, ""});
        made.argv = gh_ost_argv(in_.job, in_.tool, in_.writer, in_.login, in_.files, in_.check_url);
        return made;
    }

    void follow(const rt::process_identity& program) override { program_ = program; }

    void hear(tool_stream from, std::string_view line, checks::wall_time at) override {
        gh_ost_line heard = parse_gh_ost_line(line);
        words_.hear(heard);
        if (from == tool_stream::output && heard.status) take(*heard.status, at);
    }

    tool_view view() const override {
        tool_view made;
        made.last_word_at = last_word_at_;
        made.said_success = words_.done && words_.fatal.empty();
        made.failure = !words_.fatal.empty() ? words_.fatal : words_.crash;
        made.failed_attempts = failed_attempts_;
        if (status_) {
            made.phase = phase_of_status();
            made.backlog = status_->backlog;
            made.behind_seconds = status_->heartbeat_lag_seconds;
        }
        if (words_.done) made.phase = tool_phase::done;
        return made;
    }

    tool_ending ending(const process_status& status) const override {
        return judge_gh_ost(status, words_);
    }

    std::optional<row_count> rows() const override {
        if (!status_) return std::nullopt;
        return row_count{status_->rows_copied, static_cast<std::uint64_t>(std::max<std::int64_t>(
                                                   0, status_->rows_estimated))};
    }

    asio::awaitable<result<void>> look(deadline until) override {
        auto reply = co_await ask("sup", until);
        if (!reply) co_return reply.error();
        co_return result<void>();
    }

    asio::awaitable<result<void>> hold(deadline) override {
        co_return rt::replace_file(in_.files.throttle_flag, "", rt::durability::cached, 0600);
    }

    asio::awaitable<result<void>> release(deadline) override {
        std::error_code failed;
        std::filesystem::remove(in_.files.throttle_flag, failed);
        if (failed) co_return rt::from_errno(failed.value(), "remove " + in_.files.throttle_flag);
        co_return result<void>();
    }

    // The flag file stays: gh-ost looks at it again after an attempt that failed.
    asio::awaitable<result<void>> permit_cut_over(deadline until) override {
        auto reply = co_await ask("unpostpone=" + in_.job.spec.table.table, until);
        if (!reply) co_return reply.error();
        if (reply->kind == gh_ost_reply_kind::unpostponed) co_return result<void>();
        co_return rt::error{rt::errc::query, 0,
                            "gh-ost did not begin the cut-over: " + reply->text};
    }

    asio::awaitable<result<void>> stop(bool hard, deadline until) override {
        if (hard) {
            rt::signal_detached(program_, SIGKILL);
            co_return result<void>();
        }
        auto reply = co_await ask("panic=" + in_.job.spec.table.table, until);
        const bool heard = reply && reply->kind == gh_ost_reply_kind::panicking;
        if (!heard) rt::signal_detached(program_, SIGTERM);
        co_return result<void>();
    }

private:
    // It has no word for the cut-over: what it says after it waited for leave is one under way.
    tool_phase phase_of_status() const {
        if (status_->state == gh_ost_state::postponing) return tool_phase::ready;
        return was_ready_ ? tool_phase::swapping : tool_phase::copying;
    }

    void take(const gh_ost_status& status, checks::wall_time at) {
        const bool swapped = status_ && phase_of_status() == tool_phase::swapping;
        const bool waits = status.state == gh_ost_state::postponing;
        if (swapped && waits) ++failed_attempts_;
        was_ready_ = was_ready_ || waits;
        status_ = status;
        last_word_at_ = at;
    }

    // gh-ost repeats each answer on its standard output, where it is heard.
    asio::awaitable<result<gh_ost_reply>> ask(std::string command, deadline until) {
        std::vector<rt::stream_endpoint> where = {rt::unix_endpoint(in_.files.socket)};
        auto told =
            co_await rt::ask_once(std::move(where), "gh-ost", std::move(command) + "\n", until);
        if (!told.text) co_return told.text.error();
        co_return parse_gh_ost_reply(*told.text);
    }

    asio::any_io_executor executor_;
    gh_ost_setup in_;
    rt::process_identity program_;
    gh_ost_words words_;
    std::optional<gh_ost_status> status_;
    bool was_ready_ = false;
    int failed_attempts_ = 0;
    std::optional<checks::wall_time> last_word_at_;
};

}  // namespace

std::unique_ptr<tool_driver> make_gh_ost_driver(asio::any_io_executor executor,
                                                gh_ost_setup setup) {
    return std::make_unique<gh_ost_driver>(std::move(executor), std::move(setup));
}

}  // namespace primacy::osc
