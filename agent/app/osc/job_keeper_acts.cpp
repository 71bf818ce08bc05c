// What a job's keeper does once it is decided and noted.
#include "agent/app/osc/job_keeper.hpp"
#include "agent/rt/file.hpp"
#include "agent/rt/log.hpp"
#include "agent/rt/offload.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace primacy::app {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto hold_every = 1s;
constexpr auto stop_every = 5s;
constexpr auto plan_every = 1s;
constexpr auto patience = 10s;

struct forget_job {
    rt::detached_files files;
    rt::result<void> operator()() const { return rt::forget_detached(files); }
};

struct forget_password_job {
    const job_store* store;
    std::string id;
    rt::result<void> operator()() const { return store->forget_password(id); }
};

struct write_files_job {
    std::string folder, log_folder;
    std::vector<osc::private_file> files;
    rt::result<void> operator()() const {
        if (auto made = rt::ensure_directory(log_folder, 0750); !made) return made;
        for (const auto& each : files) {
            auto written = rt::replace_file(each.path, each.text, rt::durability::durable, 0600);
            if (!written) return written;
        }
        return {};
    }
};

}  // namespace

void job_keeper::tell(const rt::result<void>& done, std::string_view doing) {
    if (!done)
        rt::log(rt::log_level::warning, "osc",
                job_.id + ": " + std::string(doing) + ": " + done.error().message,
                {{"osc_job", job_.id}});
}

asio::awaitable<void> job_keeper::carry_out(osc::job_action action) {
    rt::deadline until = rt::deadline::after(patience);
    if (std::holds_alternative<osc::plan_again>(action)) co_await plan_again();
    if (std::holds_alternative<osc::start_tool>(action)) co_await start_tool();
    if (std::holds_alternative<osc::look_at_database>(action)) co_await inspect();
    if (std::holds_alternative<osc::forget_tool>(action)) co_await forget_tool();
    if (std::holds_alternative<osc::hold_tool>(action)) co_await hold(true);
    if (std::holds_alternative<osc::release_tool>(action)) co_await hold(false);
    if (std::holds_alternative<osc::permit_cut_over>(action)) {
        auto done = co_await driver().permit_cut_over(until);
        tell(done, "cut-over");
    }
    if (const auto* stop = std::get_if<osc::stop_tool>(&action)) co_await stop_tool(stop->hard);
}

// What is wanted comes with each step. It is told once, and a hold again and again: a flag file may
// be removed by hand, a stopped process be woken.
asio::awaitable<void> job_keeper::hold(bool wanted) {
    const bool told = held_ == wanted && (!wanted || !next_hold_.passed());
    if (told) co_return;
    rt::deadline until = rt::deadline::after(patience);
    rt::result<void> done;
    if (wanted)
        done = co_await driver().hold(until);
    else
        done = co_await driver().release(until);
    next_hold_ = rt::deadline::after(hold_every);
    held_.reset();
    if (done) held_ = wanted;
    tell(done, wanted ? "hold" : "release");
}

// A tool that ends cleans up, and is not to be disturbed ten times a second while it does.
asio::awaitable<void> job_keeper::stop_tool(bool hard) {
    if (!next_stop_.passed() && hard == stopped_hard_) co_return;
    next_stop_ = rt::deadline::after(stop_every);
    stopped_hard_ = hard;
    auto done = co_await driver().stop(hard, rt::deadline::after(patience));
    tell(done, "stop");
}

asio::awaitable<void> job_keeper::forget_password() {
    forget_password_job forgetting{with_.store, job_.id};
    auto done = co_await rt::offload(*with_.disk, std::move(forgetting));
    tell(done, "forget the password");
}

asio::awaitable<void> job_keeper::forget_tool() {
    start_failure_.clear();
    forget_job forgetting{rt::detached_files_in(files_.folder, files_.log_folder)};
    auto done = co_await rt::offload(*with_.disk, std::move(forgetting));
    tell(done, "forget the attempt that failed");
}

asio::awaitable<void> job_keeper::plan_again() {
    if (!next_plan_.passed()) co_return;
    next_plan_ = rt::deadline::after(plan_every);
    auto made = co_await with_.plan(job_.spec);
    if (!made) {
        tell(made.error(), "plan");
        co_return;
    }
    planned_ = std::move(*made);
    driver_ = planned_->may_run() ? with_.make_driver(job_, &*planned_) : nullptr;
}

asio::awaitable<void> job_keeper::inspect() {
    auto found = co_await with_.inspect(job_);
    if (found)
        database_ = std::move(*found);
    else
        tell(found.error(), "look at the servers");
}

asio::awaitable<rt::result<void>> job_keeper::start_program(osc::tool_start what) {
    const boost::json::object argv{
        {"argv", boost::json::array(what.argv.begin(), what.argv.end())}};
    what.files.push_back({files_.folder + "/argv.json", boost::json::serialize(argv)});
    write_files_job writing{files_.folder, files_.log_folder, std::move(what.files)};
    auto written = co_await rt::offload(*with_.disk, std::move(writing));
    if (!written) co_return written;
    rt::command watcher;
    watcher.argv = {with_.own_program, "osc-watch", "--folder",
                    files_.folder,     "--logs",    files_.log_folder};
    watcher.environment = {{"LC_ALL", "C.UTF-8"}, {"HOME", files_.folder}};
    watcher.inherited = {"PATH"};
    rt::run_limits limits{rt::deadline::after(patience)};
    auto ran = co_await with_.runner->run(std::move(watcher), limits, nullptr);
    if (!ran) co_return ran.error();
    if (rt::succeeded(*ran)) co_return rt::result<void>();
    co_return rt::error{rt::errc::io, 0,
                        "the tool could not be started: " + ran->errors.text + " (the watcher " +
                            rt::describe(*ran) + ")"};
}

asio::awaitable<void> job_keeper::start_tool() {
    auto what = driver().start();
    rt::result<void> started = what ? rt::result<void>() : rt::result<void>(what.error());
    if (what) started = co_await start_program(std::move(*what));
    if (started) co_return;
    start_failure_ = started.error().message;
    tell(started, "start");
}

}  // namespace primacy::app
