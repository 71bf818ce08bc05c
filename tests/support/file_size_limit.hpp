// A full disk without a disk: while it lives, no file of this process grows beyond the limit.
// A write across the limit is cut short first, then fails, as on a disk that fills up.
#pragma once

#include <csignal>
#include <sys/resource.h>

namespace primacy::tests {

class file_size_limit {
public:
    explicit file_size_limit(rlim_t bytes) : former_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &former_);
        const rlimit limited{bytes, former_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limited);
    }
    file_size_limit(const file_size_limit&) = delete;
    file_size_limit& operator=(const file_size_limit&) = delete;
    ~file_size_limit() {
        ::setrlimit(RLIMIT_FSIZE, &former_);
        std::signal(SIGXFSZ, former_handler_);
    }

private:
    rlimit former_{};
    void (*former_handler_)(int);
};

}  // namespace primacy::tests
