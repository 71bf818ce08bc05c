// Cuts a stream of bytes into lines of bounded length. Pure; knows nothing of where they come from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace primacy::rt {

class line_splitter {
public:
    // Of a longer line, its first `longest` bytes are told and the rest is dropped.
    explicit line_splitter(std::size_t longest) : longest_(longest) {}

    // Calls told(std::string_view) for every line that ends within `bytes`, without its \n or \r\n.
    template <class Told>
    void feed(std::string_view bytes, Told&& told) {
        for (;;) {
            const auto end = bytes.find('\n');
            append(bytes.substr(0, end));
            if (end == std::string_view::npos) return;
            bytes.remove_prefix(end + 1);
            tell(told);
        }
    }

    // The last line, when the stream ended without a line end.
    template <class Told>
    void finish(Told&& told) {
        if (!line_.empty()) tell(told);
    }

private:
    void append(std::string_view bytes) {
        line_.append(bytes.substr(0, std::min(bytes.size(), longest_ - line_.size())));
    }

    template <class Told>
    void tell(Told&& told) {
        std::string_view line = line_;
        if (line.ends_with('\r')) line.remove_suffix(1);
        told(line);
        line_.clear();
    }

    std::size_t longest_;
    std::string line_;
};

}  // namespace primacy::rt
