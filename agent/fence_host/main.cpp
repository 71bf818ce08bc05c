// primacy-fence-host: the forced command with which primacy stops the server of this host by ssh.
//
// In authorized_keys:  restrict,command="/usr/sbin/primacy-fence-host" ssh-ed25519 AAAA…
// It runs as root or as the server's user and does one of `stop`, `kill` and `status`, whatever
// the other side sends. Everything that it is asked, and what came of it, is in syslog.

#include "agent/fence_host/answer.hpp"
#include "agent/fence_host/settings.hpp"
#include "agent/fence_host/stoppable.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <syslog.h>

namespace {

using namespace primacy::fence_host;

constexpr int exit_refused = 2;

struct words {
    std::string config = "/etc/primacy/fence-host.toml";
    std::string systemctl = "/usr/bin/systemctl";
    bool good = true;
};

words read_words(int count, char** given) {
    words read;
    for (int i = 1; i < count; i += 2) {
        const std::string option = given[i];
        std::string* target = option == "--config"      ? &read.config
                              : option == "--systemctl" ? &read.systemctl
                                                        : nullptr;
        if (!target || i + 1 == count) {
            read.good = false;
            return read;
        }
        *target = given[i + 1];
    }
    return read;
}

int refuse(const std::string& nonce, const std::string& reason) {
    ::syslog(LOG_ERR, "refused: %s", reason.c_str());
    std::fprintf(stderr, "primacy-fence-host: %s\n", reason.c_str());
    if (!nonce.empty()) std::printf("REFUSED %s\n", nonce.c_str());
    return exit_refused;
}

// Text of the other side, made fit for one line of a log.
std::string for_log(const char* text) {
    std::string shown;
    for (const char* at = text; *at != '\0' && shown.size() < 200; ++at)
        shown += *at >= ' ' && *at < 0x7f ? *at : '?';
    return shown;
}

finding carry_out(const request& asked, stoppable& server) {
    switch (asked.what) {
        case verb::stop: return server.stop();
        case verb::kill: return server.kill();
        case verb::status: break;
    }
    return server.status();
}

int run(int count, char** given) {
    const words told = read_words(count, given);
    const char* sent = std::getenv("SSH_ORIGINAL_COMMAND");
    const char* from = std::getenv("SSH_CONNECTION");
    if (!told.good || !sent) {
        return refuse("",
                      "usage: as a forced command of ssh, primacy-fence-host [--config FILE] "
                      "[--systemctl FILE]; the request is `stop`, `kill` or `status` and a "
                      "nonce");
    }
    ::syslog(LOG_NOTICE, "asked \"%s\" from %s", for_log(sent).c_str(),
             for_log(from ? from : "this host").c_str());
    const auto asked = parse_request(sent);
    if (!asked) return refuse("", "the request is not `stop`, `kill` or `status` and a nonce");
    const auto known = load_settings(told.config);
    if (!known) return refuse(asked->nonce, known.error().message);
    const auto server = known->unit.empty() ? make_pid_file_server(*known)
                                            : make_systemd_server(*known, told.systemctl);
    const finding found = carry_out(*asked, *server);
    const answer said = answer_for(*asked, known->server, found.seen);
    ::syslog(LOG_NOTICE, "%s: %s", said.line.c_str(), found.sentence.c_str());
    std::fprintf(stderr, "primacy-fence-host: %s\n", found.sentence.c_str());
    std::printf("%s\n", said.line.c_str());
    return said.exit_code;
}

}  // namespace

int main(int count, char** given) {
    // A stop that has begun is finished, whether or not somebody still listens.
    for (int number : {SIGHUP, SIGPIPE, SIGINT, SIGTERM})
        std::signal(number, SIG_IGN);
    ::openlog("primacy-fence-host", LOG_PID, LOG_AUTHPRIV);
    try {
        return run(count, given);
    } catch (const std::exception& fault) {
        return refuse("", std::string("internal error, it may have acted: ") + fault.what());
    }
}
