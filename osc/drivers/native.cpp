#include "osc/drivers/native.hpp"

#include "osc/native_output.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <csignal>

namespace primacy::osc {

namespace asio = boost::asio;
using rt::deadline;
using rt::result;
using what = native_line::what;

namespace {

constexpr std::uint64_t lock_wait_timeout_error = 1205;

class native_driver final : public tool_driver {
public:
    explicit native_driver(native_setup setup) : in_(std::move(setup)) {}

    result<tool_start> start() override {
        const std::string order = in_.files.folder + "/native.json";
        const job_spec& spec = in_.job.spec;
        boost::json::object text{{"topology", spec.topology},
                                 {"server", in_.job.writer},
                                 {"mysql", in_.writer_kind == checks::flavor::mysql},
                                 {"statement", native_statement(in_.job, in_.writer_kind)},
                                 {"lock_wait_seconds", spec.lock_wait.count()}};
        return tool_start{
            {{order, boost::json::serialize(text)}},
            {in_.program, "--config", in_.config_path, "osc-native", "--order", order}};
    }

    void follow(const rt::process_identity& program) override { program_ = program; }

    void hear(tool_stream from, std::string_view line, checks::wall_time at) override {
        auto heard = parse_native_line(line);
        if (!heard) {
            // Our own complaints before the statement, on standard error.
            if (from == tool_stream::errors && failure_.empty()) failure_ = std::string(line);
            return;
        }
        last_word_at_ = at;
        phase_ = tool_phase::copying;
        switch (heard->kind) {
            case what::progress: ratio_ = heard->ratio; break;
            case what::failed:
                failure_ = heard->text;
                failed_attempts_ = heard->number == lock_wait_timeout_error ? 1 : 0;
                break;
            case what::done:
                said_success_ = true;
                phase_ = tool_phase::done;
                break;
            case what::session:  // another attempt; what the one before said is over
                failure_.clear();
                failed_attempts_ = 0;
                ratio_.reset();
                break;
        }
    }

    tool_view view() const override {
        tool_view made;
        made.phase = phase_;
        made.last_word_at = last_word_at_;
        made.said_success = said_success_;
        if (!said_success_) made.failure = failure_;
        made.failed_attempts = failed_attempts_;
        return made;
    }

    tool_ending ending(const process_status& status) const override {
        tool_ending made;
        const bool good = status.exit_code == 0;
        made.left = leftovers::none;
        made.sentence = said_success_ ? "the server says that it has altered the table" : failure_;
        if (made.sentence.empty()) made.sentence = "it ended with " + describe(status);
        if (said_success_)
            made.verdict = good ? tool_verdict::succeeded
                                : (status.known() ? tool_verdict::unclear : tool_verdict::said_so);
        else
            made.verdict = good ? tool_verdict::unclear : tool_verdict::failed;
        return made;
    }

    std::optional<row_count> rows() const override {
        const std::uint64_t all = in_.job.progress.estimated;
        if (!ratio_ || all == 0) return std::nullopt;
        return row_count{static_cast<std::uint64_t>(*ratio_ * static_cast<double>(all)), all};
    }
    std::optional<double> ratio() const override { return ratio_; }

    asio::awaitable<result<void>> look(deadline) override { co_return result<void>(); }
    asio::awaitable<result<void>> hold(deadline) override { co_return cannot_be_held(); }
    asio::awaitable<result<void>> release(deadline) override { co_return result<void>(); }
    asio::awaitable<result<void>> permit_cut_over(deadline) override { co_return result<void>(); }

    // It kills its statement on the server and tells what came of it. Killed itself, it could not:
    // the statement would go on.
    asio::awaitable<result<void>> stop(bool, deadline) override {
        rt::signal_detached(program_, SIGTERM);
        co_return result<void>();
    }

private:
    static rt::error cannot_be_held() {
        return {rt::errc::usage, 0, "a native ALTER cannot be paused, only ended"};
    }

    native_setup in_;
    rt::process_identity program_;
    tool_phase phase_ = tool_phase::starting;
    std::optional<double> ratio_;
    bool said_success_ = false;
    std::string failure_;
    int failed_attempts_ = 0;
    std::optional<checks::wall_time> last_word_at_;
};

}  // namespace

std::unique_ptr<tool_driver> make_native_driver(native_setup setup) {
    return std::make_unique<native_driver>(std::move(setup));
}

}  // namespace primacy::osc
