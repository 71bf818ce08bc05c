// A copy of the test program that does one thing and is killed. It never outlives the test, however
// that ends.
#pragma once

#include <csignal>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace primacy::tests {

class forked_process {
public:
    // The child runs body(), which returns its exit code.
    template <class Body>
    explicit forked_process(Body body) : id_(::fork()) {
        if (id_ < 0) throw std::runtime_error("fork failed");
        if (id_ > 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::_exit(body());
    }
    forked_process(const forked_process&) = delete;
    forked_process& operator=(const forked_process&) = delete;
    ~forked_process() {
        if (!ended_) kill();
    }

    // True once it has ended by itself.
    bool ended() {
        if (!ended_) ended_ = ::waitpid(id_, &status_, WNOHANG) == id_;
        return ended_;
    }

    // Ends it and returns its wait status.
    int kill() {
        ::kill(id_, SIGKILL);
        return wait();
    }

    int wait() {
        if (!ended_) ended_ = ::waitpid(id_, &status_, 0) == id_;
        return status_;
    }

private:
    pid_t id_;
    int status_ = 0;
    bool ended_ = false;
};

}  // namespace primacy::tests
