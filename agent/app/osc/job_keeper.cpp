#include "agent/app/osc/job_keeper.hpp"

#include "agent/app/osc/job_json.hpp"
#include "agent/app/watch/now.hpp"
#include "agent/rt/log.hpp"
#include "agent/rt/offload.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using fate = osc::process_view::fate;

namespace {

constexpr auto look_every = 100ms;
constexpr auto question_every = 1s;
constexpr auto save_every = 5s;  // of what is progress only

struct look_job {
    rt::detached_files files;
    rt::detached_state operator()() const { return rt::look_at_detached(files); }
};

struct read_job {
    job_log* from;
    bool last;
    std::vector<std::string> operator()() const { return from->read_on(last); }
};

struct save_job {
    const job_store* store;
    osc::job_record job;
    rt::result<void> operator()() const { return store->save(job); }
};

osc::process_view seen_process(const rt::detached_state& state) {
    using from = rt::detached_state::fate;
    osc::process_view made;
    made.exit_code = state.exit_code;
    made.signal = state.signal;
    switch (state.what) {
        case from::none: made.what = fate::none; break;
        case from::alive: made.what = fate::alive; break;
        case from::ended: made.what = fate::ended; break;
        case from::gone: made.what = fate::gone; break;
    }
    return made;
}

osc::hold_cause cause_of(osc::throttle_cause cause) {
    using from = osc::throttle_cause;
    switch (cause) {
        case from::split_brain_confirmed:
        case from::split_brain_suspected:
        case from::writer_unknown: return osc::hold_cause::split_brain;
        case from::lag:
        case from::lag_unknown: return osc::hold_cause::lag;
        case from::load:
        case from::load_unknown: return osc::hold_cause::load;
        case from::paused_by_user:
        case from::maintenance: return osc::hold_cause::user;
        case from::none:
        case from::no_such_job:
        case from::settling: return osc::hold_cause::none;
    }
    return osc::hold_cause::none;
}

// What is worth a write at once; progress alone is not.
bool same_but_for_progress(const osc::job_record& one, const osc::job_record& other) {
    auto all = [](const osc::job_record& job) {
        return std::tie(job.state, job.held, job.wanted, job.attempts, job.permit,
                        job.permit_by_person, job.stopping_because, job.writers, job.left);
    };
    return all(one) == all(other);
}

}  // namespace

std::string_view to_string(job_wish wish) noexcept {
    switch (wish) {
        case job_wish::pause: return "pause";
        case job_wish::resume: return "resume";
        case job_wish::cut_over: return "cut-over";
        case job_wish::abort: return "abort";
    }
    return "pause";
}

job_keeper::job_keeper(osc::job_record job, services with)
    : job_(std::move(job)),
      with_(std::move(with)),
      files_(with_.store->folder_of(job_.id), with_.log_dir + "/" + job_.id),
      output_(files_.output),
      errors_(files_.errors),
      heading_(job_.state),
      next_question_(rt::deadline::after(0s)),
      next_save_(rt::deadline::after(0s)),
      next_hold_(rt::deadline::after(0s)),
      next_stop_(rt::deadline::after(0s)),
      next_plan_(rt::deadline::after(0s)),
      wake_(with_.executor) {}

osc::tool_driver& job_keeper::driver() {
    if (!driver_) driver_ = with_.make_driver(job_, nullptr);
    return *driver_;
}

asio::awaitable<void> job_keeper::run() {
    // Being told to end is a value here: a step that has begun is noted and ends.
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!osc::is_over(job_.state)) {
        const bool ending = co_await rt::is_cancelled();
        if (ending) co_return;
        co_await tick();
        if (!osc::is_over(job_.state)) co_await wake_.wait(rt::deadline::after(look_every));
    }
}

asio::awaitable<void> job_keeper::tick() {
    osc::supervision seen = co_await see();
    osc::job_step step = osc::supervise(job_, seen);
    heading_ = step.next.state;
    if (step.next.sentence != job_.sentence || step.next.state != job_.state)
        rt::log(rt::log_level::info, "osc",
                job_.id + ": " + std::string(osc::to_string(step.next.state)) + ": " +
                    step.next.sentence,
                {{"osc_job", job_.id}, {"topology", job_.spec.topology}});
    // On disk before anything is done (S6); what could not be noted is not done.
    bool remembered = co_await remember(std::move(step.next));
    if (!remembered) co_return;
    for (auto& action : step.actions)
        co_await carry_out(std::move(action));
    if (osc::is_over(job_.state)) co_await forget_password();
}

asio::awaitable<osc::supervision> job_keeper::see() {
    osc::supervision seen;
    seen.now = wall_now();
    look_job look{rt::detached_files_in(files_.folder, files_.log_folder)};
    auto process = co_await rt::offload(*with_.disk, std::move(look));
    seen.process = seen_process(process);
    if (!start_failure_.empty()) {
        seen.process = {fate::ended, 127, {}};
        seen.tool.failure = start_failure_;
    } else if (seen.process.what != fate::none) {
        co_await hear_tool(process);
        seen.tool = driver().view();
        if (seen.process.what != fate::alive) {
            auto ending = driver().ending({seen.process.exit_code, seen.process.signal});
            seen.tool.said_success = ending.verdict == osc::tool_verdict::succeeded ||
                                     ending.verdict == osc::tool_verdict::said_so;
            if (!seen.tool.said_success) seen.tool.failure = ending.sentence;
        }
        note_progress(seen.now);
    }
    co_await ask_questions(seen);
    seen.long_transaction = long_transaction_;
    // From here on nothing is awaited until the state machine has decided: two jobs of one queue
    // never see the same free place.
    seen.now = wall_now();
    seen.topology = with_.topology(job_);
    seen.throttle = decide_throttle();
    seen.planned = std::exchange(planned_, std::nullopt);
    seen.database = std::exchange(database_, std::nullopt);
    seen.queue = with_.queue(job_);
    co_return seen;
}

// Those that cost the tool or the server something.
asio::awaitable<void> job_keeper::ask_questions(const osc::supervision& seen) {
    if (!next_question_.passed()) co_return;
    next_question_ = rt::deadline::after(question_every);
    const bool may_swap =
        seen.tool.phase == osc::tool_phase::ready || job_.state == osc::job_state::postponed;
    if (may_swap) long_transaction_ = co_await with_.long_transaction(job_);
    loads_ = co_await with_.loads(job_);
    if (seen.process.what == fate::alive && start_failure_.empty())
        std::ignore = co_await driver().look(rt::deadline::after(question_every));
}

const osc::throttle_answer& job_keeper::throttle() {
    osc::throttle_policy limits;
    limits.lag_limit_seconds = std::chrono::duration<double>(job_.spec.max_lag).count();
    osc::throttle_input input = with_.throttle(job_);
    input.loads = loads_;
    throttle_ = osc::decide_throttle(input, limits, throttle_state_);
    return throttle_;
}

osc::throttle_view job_keeper::decide_throttle() {
    const osc::throttle_answer& answer = throttle();
    if (answer.go()) return {};
    auto cause = cause_of(answer.cause);
    if (answer.cause == osc::throttle_cause::settling) cause = cause_of(throttle_state_.because);
    return {cause, answer.message};
}

asio::awaitable<void> job_keeper::hear_tool(const rt::detached_state& process) {
    if (process.program) driver().follow(*process.program);
    const bool last = process.what != rt::detached_state::fate::alive;
    for (auto [from, log] : {std::pair{osc::tool_stream::output, &output_},
                             std::pair{osc::tool_stream::errors, &errors_}}) {
        read_job reading{log, last};
        auto lines = co_await rt::offload(*with_.disk, std::move(reading));
        for (const auto& line : lines)
            driver().hear(from, line, wall_now());
    }
}

void job_keeper::note_progress(checks::wall_time) {
    auto rows = driver().rows();
    if (!rows) return;
    auto phase = driver().view().phase;
    osc::copy_sample sample;
    sample.at = boot_now();
    sample.copied = rows->copied;
    if (rows->estimated > 0) sample.estimated = rows->estimated;
    sample.paused = job_.state == osc::job_state::paused;
    sample.done = phase >= osc::tool_phase::ready;
    progress_.add(sample);
    auto now = progress_.view();
    job_.progress.copied = now.copied;
    job_.progress.estimated = now.estimated.value_or(0);
    job_.progress.ratio = now.ratio;
    job_.progress.rows_per_second = now.rows_per_second;
    job_.progress.copy_done = now.done;
    job_.progress.remaining.reset();
    if (now.eta)
        job_.progress.remaining = std::chrono::duration_cast<std::chrono::seconds>(*now.eta);
}

asio::awaitable<bool> job_keeper::remember(osc::job_record next) {
    const bool worth = !same_but_for_progress(job_, next) || next_save_.passed();
    if (worth) {
        save_job saving{with_.store, next};
        auto saved = co_await rt::offload(*with_.disk, std::move(saving));
        if (!saved) {
            rt::log_once(
                rt::log_level::error, "osc", "save " + job_.id,
                job_.id + " cannot be noted, and goes no further: " + saved.error().message);
            co_return false;
        }
        rt::log_cleared("osc", "save " + job_.id, job_.id + " can be noted again");
        next_save_ = rt::deadline::after(save_every);
    }
    // What a person asked meanwhile is not lost.
    auto wanted = job_.wanted;
    const bool swap_begun = next.attempts > job_.attempts;
    job_ = std::move(next);
    job_.wanted = wanted;
    if (swap_begun) job_.wanted.cut_over = false;
    co_return true;
}

rt::result<std::string> job_keeper::take(job_wish wish, const std::string& by) {
    if (osc::is_over(job_.state))
        return rt::error{rt::errc::usage, 0,
                         job_.id + " is over: " + std::string(osc::to_string(job_.state))};
    const bool native_at_work =
        job_.which == osc::tool::native && job_.state == osc::job_state::running;
    switch (wish) {
        case job_wish::pause:
            if (native_at_work)
                return rt::error{rt::errc::usage, 0,
                                 "a native ALTER cannot be paused, only ended (osc abort)"};
            job_.wanted.pause = true;
            break;
        case job_wish::resume: job_.wanted.pause = false; break;
        case job_wish::cut_over: job_.wanted.cut_over = true; break;
        case job_wish::abort: job_.wanted.abort = true; break;
    }
    rt::log(rt::log_level::info, "osc",
            job_.id + ": " + by + " asks: " + std::string(to_string(wish)), {{"osc_job", job_.id}});
    next_save_ = rt::deadline::after(0s);
    wake_.notify();
    return job_.id + ": noted: " + std::string(to_string(wish));
}

}  // namespace primacy::app
