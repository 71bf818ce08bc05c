// Any bytes as what a schema-change tool wrote: lines of any kind, never a crash, and what was read
// keeps its promises. The same bytes as the samples of a copy: progress that never lies grossly.
#include "osc/gh_ost_ending.hpp"
#include "osc/gh_ost_reply.hpp"
#include "osc/go_text.hpp"
#include "osc/line_reader.hpp"
#include "osc/progress.hpp"
#include "osc/pt_osc_ending.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace primacy::osc;

namespace {

void demand(bool promise) {
    if (!promise) std::abort();
}

// The lines are the same however the bytes arrive, and a restart anywhere loses none.
std::vector<std::string> check_reader(std::string_view text) {
    constexpr std::size_t longest = 256;
    std::vector<std::string> at_once;
    std::vector<std::string> in_pieces;
    line_reader whole(0, longest);
    whole.feed(text, [&](std::string_view line) { at_once.emplace_back(line); });
    const std::size_t cut = whole.cut();
    line_reader pieces(0, longest);
    const auto tell = [&](std::string_view line) { in_pieces.emplace_back(line); };
    while (pieces.next_byte() < text.size()) {
        const auto next = text.substr(pieces.next_byte());
        pieces.feed(next.substr(0, 1 + static_cast<unsigned char>(next.front()) % 64), tell);
        if (next.front() == 'r') pieces = line_reader(pieces.offset(), longest);
        // A restart goes back to the line's start: without progress there is no end.
        if (next.front() == 'r') pieces.feed(text.substr(pieces.next_byte()), tell);
    }
    demand(at_once == in_pieces);
    demand(cut <= at_once.size());
    whole.finish([&](std::string_view line) { at_once.emplace_back(line); });
    demand(whole.offset() == text.size() && whole.next_byte() == text.size());
    for (const auto& line : at_once)
        demand(line.size() <= longest && line.find('\n') == std::string::npos);
    return at_once;
}

void check_gh_ost(std::string_view line, gh_ost_words& words) {
    const auto found = parse_gh_ost_line(line);
    words.hear(found);
    demand((found.kind == gh_ost_line_kind::status) == found.status.has_value());
    demand((found.kind == gh_ost_line_kind::hint) == (found.hint != gh_ost_hint::none));
    if (!found.status) return;
    demand(!parse_gh_ost_status(line.substr(0, line.size() - 1)));
    demand(!parse_gh_ost_status(line.substr(1)));
    const auto& status = *found.status;
    demand(!status.state_text.empty());
    demand((status.state == gh_ost_state::throttled) == status.throttle.has_value());
    demand(status.eta.time.count() >= 0 && status.elapsed.count() >= 0);
    if (status.throttle) demand(status.state_text == "throttled, " + status.throttle->reason);
}

void check_pt_osc(std::string_view line, pt_osc_words& words) {
    const auto found = parse_pt_osc_line(line);
    words.hear(found);
    demand(found.percent <= 100 && found.remaining.count() >= 0);
    demand(found.text.size() <= line.size());
    if (found.kind == pt_osc_line_kind::successfully_altered)
        demand(line.ends_with(found.text + ".") && found.text.starts_with('`'));
}

void check_endings(const gh_ost_words& gh_ost, const pt_osc_words& pt_osc, std::uint8_t byte) {
    process_status status;
    if (byte % 3 == 0) status.exit_code = byte % 4;
    if (byte % 3 == 1) status.signal = byte;
    const auto first = judge_gh_ost(status, gh_ost);
    demand(!first.sentence.empty());
    demand(first.verdict != tool_verdict::succeeded ||
           (status.exit_code == 0 && gh_ost.done && gh_ost.fatal.empty()));
    const auto second = judge_pt_osc(status, pt_osc, byte % 2 == 0);
    demand(!second.sentence.empty());
    demand(second.verdict != tool_verdict::succeeded ||
           (status.exit_code == 0 && pt_osc.last != pt_osc_last_words::not_altered));
}

void check_progress(std::string_view bytes) {
    progress_estimator progress;
    copy_sample sample;
    std::uint64_t copied = 0;
    for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
        const auto byte = [&](std::size_t place) -> std::uint64_t {
            return static_cast<unsigned char>(bytes[i + place]);
        };
        sample.at += std::chrono::milliseconds(byte(0) * byte(0));
        sample.copied = byte(1) << (byte(3) % 56);
        sample.estimated = byte(2) << (byte(3) / 5 % 56);
        sample.paused = byte(3) % 7 == 0;
        sample.done = byte(3) == 255;
        progress.add(sample);
        const auto seen = progress.view();
        demand(seen.copied >= copied);
        copied = seen.copied;
        demand(!seen.ratio || (*seen.ratio >= 0 && *seen.ratio <= 1));
        demand(seen.done || !seen.ratio || *seen.ratio < 1);
        demand(!seen.rows_per_second || *seen.rows_per_second >= 0);
        demand(!seen.eta || seen.eta->count() >= 0);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    gh_ost_words gh_ost;
    pt_osc_words pt_osc;
    for (const auto& line : check_reader(text)) {
        check_gh_ost(line, gh_ost);
        check_pt_osc(line, pt_osc);
        if (const auto length = parse_go_duration(line)) demand(line.find('s') != line.npos);
    }
    check_endings(gh_ost, pt_osc, size == 0 ? 0 : data[0]);
    demand(!parse_gh_ost_reply(text).status || text.find("Copy: ") != text.npos);
    check_progress(text);
    return 0;
}
