// Keeps one job going: looks at its tool, asks the state machine (osc/supervise.hpp) what follows,
// remembers it on disk and then does it. Decides nothing itself. When it is cancelled, the tool
// goes on, and the keeper of a later start finds it again.
#pragma once

#include "agent/app/osc/job_log.hpp"
#include "agent/app/osc/job_store.hpp"
#include "agent/app/osc/job_wish.hpp"
#include "agent/rt/event.hpp"
#include "agent/rt/process.hpp"
#include "osc/commands.hpp"
#include "osc/drivers/tool_driver.hpp"
#include "osc/progress.hpp"
#include "osc/supervise.hpp"
#include "osc/throttle.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace primacy::app {

class job_keeper {
public:
    struct services {
        boost::asio::any_io_executor executor;
        boost::asio::thread_pool* disk = nullptr;
        rt::process_runner* runner = nullptr;
        const job_store* store = nullptr;
        std::string own_program;  // ours, as the watcher of the tool
        std::string log_dir;
        std::function<osc::topology_view(const osc::job_record&)> topology;
        // But for the loads, which cost the server a question.
        std::function<osc::throttle_input(const osc::job_record&)> throttle;
        std::function<boost::asio::awaitable<std::vector<osc::throttle_load>>(osc::job_record)>
            loads;
        std::function<osc::queue_view(const osc::job_record&)> queue;
        std::function<boost::asio::awaitable<rt::result<osc::plan>>(osc::job_spec)> plan;
        // What the servers say once the tool has ended; an error when the writer cannot be asked.
        std::function<boost::asio::awaitable<rt::result<osc::database_view>>(osc::job_record)>
            inspect;
        // A transaction that would hold up a swap, in words; empty: none is known.
        std::function<boost::asio::awaitable<std::string>(osc::job_record)> long_transaction;
        // For the job as it stands; `made` is the plan when it is about to begin, null later.
        std::function<std::unique_ptr<osc::tool_driver>(const osc::job_record&,
                                                        const osc::plan* made)>
            make_driver;
    };

    job_keeper(osc::job_record job, services with);

    // Until the job is over or the coroutine is cancelled.
    boost::asio::awaitable<void> run();
    const osc::job_record& job() const noexcept { return job_; }
    // Of a job that is over: what has become known since.
    void amend(osc::job_record job) { job_ = std::move(job); }
    // Where it goes, also before that is on disk.
    osc::job_state heading() const noexcept { return heading_; }
    // For `GET /check/<job>`: decided anew by what is known now.
    const osc::throttle_answer& throttle();
    // Notes what a person asks; one sentence that says what will follow, or why it can't.
    rt::result<std::string> take(job_wish wish, const std::string& by);

private:
    boost::asio::awaitable<void> tick();
    boost::asio::awaitable<osc::supervision> see();
    boost::asio::awaitable<void> ask_questions(const osc::supervision& seen);
    osc::throttle_view decide_throttle();
    boost::asio::awaitable<void> hear_tool(const rt::detached_state& process);
    void note_progress(checks::wall_time now);
    boost::asio::awaitable<bool> remember(osc::job_record next);
    boost::asio::awaitable<void> carry_out(osc::job_action action);
    boost::asio::awaitable<void> hold(bool wanted);
    boost::asio::awaitable<void> stop_tool(bool hard);
    boost::asio::awaitable<void> forget_tool();
    boost::asio::awaitable<void> forget_password();
    boost::asio::awaitable<void> start_tool();
    boost::asio::awaitable<rt::result<void>> start_program(osc::tool_start what);
    boost::asio::awaitable<void> plan_again();
    boost::asio::awaitable<void> inspect();
    void tell(const rt::result<void>& done, std::string_view doing);
    osc::tool_driver& driver();

    osc::job_record job_;
    services with_;
    osc::job_files files_;
    std::unique_ptr<osc::tool_driver> driver_;
    job_log output_, errors_;
    osc::progress_estimator progress_;
    osc::throttle_state throttle_state_;
    osc::throttle_answer throttle_;
    std::vector<osc::throttle_load> loads_;
    osc::job_state heading_;
    std::optional<osc::plan> planned_;
    std::optional<osc::database_view> database_;
    std::string start_failure_;
    std::string long_transaction_;
    rt::deadline next_question_;  // of those that cost the tool or the server something
    rt::deadline next_save_;
    rt::deadline next_hold_, next_stop_, next_plan_;
    std::optional<bool> held_;  // what the driver was told last; absent: nothing, or it failed
    bool stopped_hard_ = false;
    rt::event wake_;
};

}  // namespace primacy::app
