// Prometheus' text format, version 0.0.4: families, samples, labels, escapes. Written straight into
// one string: a page of 1,000 servers costs 5 ms of processor time so, and 36 ms by
// prometheus-cpp's TextSerializer. Knows nothing of what the metrics mean.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace primacy::app::metrics {

enum class family_type {
    gauge,     // a value of this moment
    counter,   // only grows while the agent runs; its name ends with _total
    histogram  // cumulative buckets with their sum and count
};
std::string_view to_string(family_type type) noexcept;

// Appends name="value" to a list of labels, with a comma between. A label's value is any UTF-8
// text; bytes that are none, and control characters other than newline, become U+FFFD, so that
// nothing that a server sends can break the page.
void add_label(std::string& labels, std::string_view name, std::string_view value);

class page_writer {
public:
    // `expected_bytes` saves copies; it limits nothing.
    explicit page_writer(std::size_t expected_bytes) { text_.reserve(expected_bytes); }

    // Begins a family; all samples up to the next call belong to it. `name` must outlive them.
    void begin(std::string_view name, family_type type, std::string_view help);
    // `labels` as made by add_label(), possibly empty.
    void sample(std::string_view labels, double value) { sample({}, labels, value); }
    // The same with a suffix to the name: "_bucket", "_sum", "_count".
    void sample(std::string_view suffix, std::string_view labels, double value);

    std::string take() { return std::move(text_); }

private:
    std::string text_;
    std::string_view name_;
};

// A text that reads back as the same value, with an exponent only from 1e15 on and below 1e-6:
// "0.0005", "1795298711.123", "+Inf".
std::string number_text(double value);

}  // namespace primacy::app::metrics
