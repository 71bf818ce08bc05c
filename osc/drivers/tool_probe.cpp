#include "osc/drivers/tool_probe.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace primacy::osc {

namespace asio = boost::asio;
using rt::deadline;

namespace {

// A flag of gh-ost that came with its knowledge of MariaDB; nothing else in it says so.
constexpr std::string_view mariadb_flag = "--analyze-ghost-table-before-cutover";
constexpr std::size_t most_output = 4096;

bool may_start(const std::filesystem::path& path) {
    std::error_code failed;
    return std::filesystem::is_regular_file(path, failed) && ::access(path.c_str(), X_OK) == 0;
}

std::string first_line(const std::string& text) {
    std::string line = text.substr(0, std::min(text.find('\n'), std::size_t{200}));
    std::replace_if(
        line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
    return line;
}

asio::awaitable<rt::result<rt::exit_report>> ask(rt::process_runner& runner,
                                                 std::vector<std::string> argv, deadline until) {
    rt::command what;
    what.argv = std::move(argv);
    what.inherited = {"PATH", "HOME", "PERL5LIB", "PERLLIB"};
    rt::run_limits limits{until};
    limits.keep_output = limits.keep_errors = most_output;
    limits.grace = std::chrono::milliseconds(200);
    co_return co_await runner.run(std::move(what), limits, nullptr);
}

// Runs "--version" and keeps what it says, or why it cannot.
asio::awaitable<void> ask_version(rt::process_runner& runner, tool_facts& made, deadline until) {
    std::vector<std::string> argv = {made.path, "--version"};
    auto report = co_await ask(runner, std::move(argv), until);
    if (!report) {
        made.problem = report.error().message;
        co_return;
    }
    if (std::holds_alternative<rt::timed_out>(report->ending)) {
        made.problem = made.path + " hangs: --version gave no answer in time and it was killed";
        co_return;
    }
    made.version_text = first_line(report->output.text);
    made.version = version_in(made.version_text);
    if (rt::succeeded(*report)) co_return;
    const std::string said = first_line(report->errors.text);
    made.problem =
        made.path + " --version " + rt::describe(*report) + (said.empty() ? "" : ": " + said);
}

std::string not_found(const std::string& configured, const char* key) {
    const bool by_path = configured.find('/') != std::string::npos;
    return configured +
           (by_path ? " is not there, or may not be started" : " is not found in PATH") +
           "; install it, or name it by " + key + " in [osc]";
}

}  // namespace

std::optional<tool_version> version_in(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool begins = text[at] >= '0' && text[at] <= '9';
        if (!begins) continue;
        tool_version made;
        int* const parts[] = {&made.major, &made.minor, &made.patch};
        const char* place = text.data() + at;
        const char* const end = text.data() + text.size();
        int read = 0;
        for (int* part : parts) {
            auto [next, failed] = std::from_chars(place, end, *part);
            if (failed != std::errc{}) break;
            ++read;
            place = next;
            if (place == end || *place != '.') break;
            ++place;
        }
        if (read >= 2) return made;
        while (at < text.size() && text[at] >= '0' && text[at] <= '9')
            ++at;
    }
    return std::nullopt;
}

std::string find_program(const std::string& configured) {
    if (configured.find('/') != std::string::npos) return may_start(configured) ? configured : "";
    const char* path = std::getenv("PATH");
    std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
    while (true) {
        const auto end = std::min(rest.find(':'), rest.size());
        const std::filesystem::path folder(rest.substr(0, end));
        // A folder of the working directory is not where a daemon looks for programs.
        if (folder.is_absolute() && may_start(folder / configured))
            return (folder / configured).string();
        if (end == rest.size()) return "";
        rest.remove_prefix(end + 1);
    }
}

asio::awaitable<tool_facts> probe_gh_ost(rt::process_runner& runner, std::string configured,
                                         deadline until) {
    tool_facts made;
    made.path = find_program(configured);
    if (made.path.empty()) {
        made.problem = not_found(configured, "gh_ost");
        co_return made;
    }
    co_await ask_version(runner, made, until);
    if (!made.problem.empty()) co_return made;
    std::vector<std::string> argv = {made.path, "--check-flag", std::string(mariadb_flag)};
    auto report = co_await ask(runner, std::move(argv), until);
    made.knows_mariadb = report && rt::succeeded(*report);
    // Built from a source without a release's number.
    if (made.knows_mariadb && !made.version) made.version = tool_version{1, 1, 10};
    if (made.version && *made.version < tool_version{1, 1, 0})
        made.problem = "gh-ost " + made.version_text + " is too old; 1.1.5 or later is needed";
    co_return made;
}

asio::awaitable<tool_facts> probe_pt_osc(rt::process_runner& runner, std::string configured,
                                         deadline until) {
    tool_facts made;
    made.path = find_program(configured);
    if (made.path.empty()) {
        made.problem = not_found(configured, "pt_osc");
        co_return made;
    }
    co_await ask_version(runner, made, until);
    if (!made.problem.empty()) co_return made;
    if (made.version && *made.version < tool_version{3, 0, 0}) {
        made.problem = made.version_text + " is too old; 3.0 or later is needed";
        co_return made;
    }
    // It tells its version without them and fails when it connects.
    std::vector<std::string> argv = {"perl", "-MDBI", "-MDBD::mysql", "-e", "1"};
    auto report = co_await ask(runner, std::move(argv), until);
    const bool modules = report && rt::succeeded(*report);
    if (!modules)
        made.problem =
            "pt-online-schema-change needs the Perl modules DBI and DBD::mysql; install "
            "libdbi-perl and libdbd-mysql-perl";
    co_return made;
}

}  // namespace primacy::osc
