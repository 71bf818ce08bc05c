#include "agent/app/commands/passing_agent.hpp"

#include "agent/app/commands/complete.hpp"
#include "agent/app/http/client.hpp"

#include <csignal>
#include <cstring>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace primacy::app {

using namespace std::chrono_literals;

namespace {

constexpr auto patience_with_start = 60s;
constexpr auto patience_with_end = 20s;
constexpr auto between_looks = 50ms;

[[noreturn]] void become_agent(std::vector<std::string>& words, pid_t parent) {
    // When we are killed, it is asked to end; its tools go on.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);
    ::setsid();  // what a terminal sends is for the command
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv("/proc/self/exe", argv.data());
    ::_exit(127);
}

bool is_ready(const config& settings) {
    boost::asio::io_context loop{1};
    auto got =
        complete(loop, http::get_unix(settings.agent.control, "/readyz", rt::deadline::after(2s)));
    return got && got->status == 200;
}

}  // namespace

passing_agent::~passing_agent() {
    if (id_ == 0) return;
    ::kill(id_, SIGTERM);
    const auto until = rt::deadline::after(patience_with_end);
    while (why_gone().empty()) {
        if (until.passed()) ::kill(id_, SIGKILL);
        std::this_thread::sleep_for(between_looks);
    }
}

std::string passing_agent::why_gone() {
    if (id_ == 0) return "it was not started";
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) != id_) return "";
    id_ = 0;
    return WIFEXITED(status) ? "it ended with exit code " + std::to_string(WEXITSTATUS(status))
                             : "it was killed by signal " + std::to_string(WTERMSIG(status));
}

rt::result<void> passing_agent::start(const std::string& config_path, const config& settings) {
    std::vector<std::string> words = {"primacy", "--config", config_path, "agent", "--for-jobs"};
    const pid_t parent = ::getpid();
    id_ = ::fork();
    if (id_ < 0) {
        const int failed = errno;
        id_ = 0;
        return rt::from_errno(failed, "start an agent");
    }
    if (id_ == 0) become_agent(words, parent);
    const auto until = rt::deadline::after(patience_with_start);
    while (!is_ready(settings)) {
        if (std::string why = why_gone(); !why.empty())
            return rt::error{rt::errc::io, 0, "no agent could be started for this job: " + why};
        if (until.passed())
            return rt::error{rt::errc::timeout, 0,
                             "an agent was started for this job, and has not judged every topology "
                             "in time; see `primacy status`"};
        std::this_thread::sleep_for(between_looks);
    }
    return {};
}

}  // namespace primacy::app
