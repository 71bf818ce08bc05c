#include "osc/drivers/pt_osc.hpp"

#include "agent/rt/file.hpp"
#include "osc/pt_osc_ending.hpp"
#include "osc/pt_osc_output.hpp"

#include <csignal>
#include <filesystem>

namespace primacy::osc {

namespace asio = boost::asio;
using kind = pt_osc_line_kind;
using rt::deadline;
using rt::result;

namespace {

bool exists(const std::string& path) {
    std::error_code failed;
    return std::filesystem::exists(path, failed);
}

// How far a line says that the tool has come; absent: it says nothing of that.
std::optional<tool_phase> phase_of(kind what) {
    switch (what) {
        case kind::altering:
        case kind::creating_new_table:
        case kind::creating_triggers: return tool_phase::preparing;
        case kind::copying:
        case kind::nothing_to_copy:
        case kind::progress:
        case kind::copied:
        case kind::analyzing: return tool_phase::copying;
        case kind::swapping:
        case kind::swapped:
        case kind::dropping_triggers: return tool_phase::swapping;
        case kind::successfully_altered:
        case kind::dry_run_complete: return tool_phase::done;
        default: return std::nullopt;
    }
}

class pt_osc_driver final : public tool_driver {
public:
    explicit pt_osc_driver(pt_osc_setup setup) : in_(std::move(setup)) {}

    result<tool_start> start() override {
        client_file_text client = client_file_of(in_.login, tool::pt_osc);
        if (!client.problem.empty()) return rt::error{rt::errc::config, 0, client.problem};
        return tool_start{
            {{in_.files.client_file, client.text}, {in_.files.plugin, pt_osc_plugin(in_.files)}},
            pt_osc_argv(in_.job, in_.tool, in_.login, in_.files)};
    }

    void follow(const rt::process_identity& program) override { program_ = program; }

    void hear(tool_stream, std::string_view line, checks::wall_time at) override {
        pt_osc_line heard = parse_pt_osc_line(line);
        last_word_at_ = at;
        if (auto phase = phase_of(heard.kind)) phase_ = *phase;
        words_.hear(heard);
        if (heard.kind == kind::copying) estimated_ = heard.number.value_or(0);
        if (heard.kind == kind::progress && heard.text == quoted(in_.job.spec.table))
            percent_ = heard.percent;
        if (heard.kind == kind::copied || heard.kind == kind::nothing_to_copy) {
            copied_ = true;
            percent_ = 100;
        }
    }

    tool_view view() const override {
        tool_view made;
        made.phase = phase_;
        // Everything is copied, and the plugin waits for leave, or has it.
        const bool before_swap = copied_ && phase_ == tool_phase::copying;
        if (before_swap && exists(in_.files.permit))
            made.phase = tool_phase::swapping;
        else if (before_swap && exists(in_.files.ready))
            made.phase = tool_phase::ready;
        made.last_word_at = last_word_at_;
        made.said_success = phase_ == tool_phase::done;
        if (!made.said_success) made.failure = words_.trouble;
        return made;
    }

    tool_ending ending(const process_status& status) const override {
        return judge_pt_osc(status, words_, in_.job.spec.attempt == trial::dry_run);
    }

    std::optional<row_count> rows() const override {
        if (estimated_ == 0) return std::nullopt;
        return row_count{estimated_ * percent_ / 100, estimated_};
    }
    std::optional<double> ratio() const override { return percent_ / 100.0; }

    asio::awaitable<result<void>> look(deadline) override { co_return result<void>(); }

    // Between two chunks it holds no lock; in the middle of one, or of an attempt to swap, the
    // server finishes that one or gives it up by itself.
    asio::awaitable<result<void>> hold(deadline) override {
        rt::signal_detached(program_, SIGSTOP);
        co_return result<void>();
    }

    asio::awaitable<result<void>> release(deadline) override {
        rt::signal_detached(program_, SIGCONT);
        co_return result<void>();
    }

    asio::awaitable<result<void>> permit_cut_over(deadline) override {
        rt::signal_detached(program_, SIGCONT);
        co_return rt::replace_file(in_.files.permit, "", rt::durability::durable, 0600);
    }

    // While it waits for leave it gives up by itself and removes triggers and copy; a signal in the
    // middle of the copy makes it end and leave them. It ignores signals while it swaps.
    asio::awaitable<result<void>> stop(bool hard, deadline) override {
        auto refused = rt::replace_file(in_.files.refusal, "", rt::durability::cached, 0600);
        rt::signal_detached(program_, SIGCONT);
        const bool waits = view().phase == tool_phase::ready;
        if (hard || !waits) rt::signal_detached(program_, hard ? SIGKILL : SIGTERM);
        co_return refused;
    }

private:
    pt_osc_setup in_;
    rt::process_identity program_;
    tool_phase phase_ = tool_phase::starting;
    std::uint64_t estimated_ = 0;
    unsigned percent_ = 0;
    bool copied_ = false;
    pt_osc_words words_;
    std::optional<checks::wall_time> last_word_at_;
};

}  // namespace

std::unique_ptr<tool_driver> make_pt_osc_driver(pt_osc_setup setup) {
    return std::make_unique<pt_osc_driver>(std::move(setup));
}

}  // namespace primacy::osc
