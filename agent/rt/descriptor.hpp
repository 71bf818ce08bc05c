// One owned file descriptor, closed once. Knows nothing of what is behind it.
#pragma once

#include <unistd.h>
#include <utility>

namespace primacy::rt {

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int native) noexcept : native_(native) {}
    descriptor(descriptor&& other) noexcept : native_(std::exchange(other.native_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        if (this != &other) reset(std::exchange(other.native_, -1));
        return *this;
    }
    ~descriptor() { reset(); }

    int get() const noexcept { return native_; }
    explicit operator bool() const noexcept { return native_ >= 0; }
    // The caller closes it from now on.
    int release() noexcept { return std::exchange(native_, -1); }
    void reset(int native = -1) noexcept {
        if (native_ >= 0) ::close(native_);
        native_ = native;
    }

private:
    int native_ = -1;
};

}  // namespace primacy::rt
