// Turns what was appended to a log file into whole lines of bounded length, and knows where to read
// on after a restart. Pure; knows no file. (rt/line_splitter.hpp cuts streams that cannot be read
// twice: it counts nothing and needs no place.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace primacy::osc {

class line_reader {
public:
    // `offset`: where in the file it begins, which must be the start of a line. Of a longer line
    // its first `longest` bytes are told, and the rest is dropped.
    explicit line_reader(std::uint64_t offset = 0, std::size_t longest = 8192)
        : offset_(offset), longest_(longest) {}

    // The file's bytes from next_byte() on. Calls told(std::string_view) for every line that ends
    // within them, without its \n or \r\n; a carriage return elsewhere is part of the line.
    template <class Told>
    void feed(std::string_view bytes, Told&& told) {
        for (;;) {
            const auto end = bytes.find('\n');
            append(bytes.substr(0, end));
            if (end == std::string_view::npos) return;
            bytes.remove_prefix(end + 1);
            tell(told, 1);
        }
    }

    // The last line, when whoever wrote the file is gone and did not end it. It may be half of one.
    template <class Told>
    void finish(Told&& told) {
        if (length_ > 0) tell(told, 0);
    }

    // After the last line that was told. A reader that starts there tells every further line once.
    std::uint64_t offset() const noexcept { return offset_; }
    // What feed() wants next.
    std::uint64_t next_byte() const noexcept { return offset_ + length_; }
    // Lines that were told without their ends because they were too long.
    std::uint64_t cut() const noexcept { return cut_; }

private:
    // One byte more than the longest is kept: of "\r\n" just at the limit nothing is cut.
    void append(std::string_view bytes) {
        const std::size_t room = longest_ + 1 - line_.size();
        line_.append(bytes.substr(0, std::min(bytes.size(), room)));
        length_ += bytes.size();
    }

    template <class Told>
    void tell(Told&& told, std::uint64_t line_end) {
        std::string_view line = line_;
        if (line.size() == length_ && line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() > longest_) {
            line = line.substr(0, longest_);
            ++cut_;
        }
        told(line);
        offset_ += length_ + line_end;
        length_ = 0;
        line_.clear();
    }

    std::uint64_t offset_;
    std::size_t longest_;
    std::string line_;
    std::uint64_t length_ = 0;  // of the line so far, with what was dropped
    std::uint64_t cut_ = 0;
};

}  // namespace primacy::osc
