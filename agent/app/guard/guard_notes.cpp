// How the guard writes down what it does: what it intends before, what came of it after. The only
// way into the journal; knows nothing of why.
#include "agent/app/guard/guard.hpp"
#include "agent/app/watch/now.hpp"
#include "agent/rt/checkpoint.hpp"
#include "agent/rt/log.hpp"

namespace primacy::app {

namespace asio = boost::asio;

fence_entry guard::entry_of(record_kind kind, const std::string& server) const {
    fence_entry entry;
    entry.kind = kind;
    entry.at = wall_now();
    entry.agent = with_.agent;
    entry.topology = config_->name;
    entry.server = server;
    entry.by = "agent";
    return entry;
}

fence_entry guard::entry_of_person(record_kind kind, const person_order& order) const {
    fence_entry entry = entry_of(kind, order.server);
    entry.by = order.by;
    entry.reason = order.reason;
    return entry;
}

asio::awaitable<guard::answer> guard::note_and_say(fence_entry entry, std::string done) {
    rt::log(rt::log_level::warning, "fence",
            config_->name + ": " + done + " (" + entry.by + ": " + entry.reason + ")",
            {{"topology", config_->name}});
    auto noted = co_await note(std::move(entry));
    if (!noted)
        co_return answer_failed(done + "; but it could not be noted, and a restart forgets it: " +
                                noted.error().message);
    co_return answer_done(std::move(done));
}

asio::awaitable<void> guard::note_all(std::vector<fence_entry> entries) {
    for (auto& entry : entries)
        co_await note(std::move(entry));
}

std::string guard::journal_trouble() const {
    return with_.journal ? with_.journal->trouble() : "this is only a look";
}

asio::awaitable<rt::result<void>> guard::note(fence_entry entry, rt::durability how) {
    if (!with_.journal) co_return rt::error{rt::errc::internal, 0, journal_trouble()};
    const auto kind = to_string(entry.kind);
    rt::checkpoint("noting", kind);
    auto written = co_await with_.journal->write(std::move(entry), how);
    rt::checkpoint("noted", kind);
    state_.journal_trouble = journal_trouble();
    if (!written) rt::log(rt::log_level::error, "fence", "journal: " + written.error().message);
    co_return written;
}

// What a fence has come to: remembered, told to the judge when it is proved, and noted.
asio::awaitable<void> guard::end_fence(std::string server, std::string incident,
                                       fencing::fence_end end) {
    fencing::fence_ended(state_, server, end, boot_now());
    if (end.stage == fencing::fence_stage::confirmed) with_.note_stopped(server);
    fence_entry ended = entry_of(record_kind::ended, server);
    ended.incident = std::move(incident);
    ended.rung = std::move(end.rung);
    ended.result = fencing::to_string(end.stage);
    ended.reason = std::move(end.sentence);
    ended.interrupted = end.interrupted;
    co_await note(std::move(ended));
}

}  // namespace primacy::app
