// What the agent must not forget: incumbents and former primaries that nobody can see, per
// topology, and until when it has watched. Two files in state_dir:
//   incumbents.json  written when a name changes, durable before it is published
//   watch.json       the proof of watch, twice a second while it moves; survives our own death, and
//                    is worth nothing after a reboot, so it is not forced to disk
// Knows nothing of judging.
#pragma once

#include "agent/rt/error.hpp"
#include "agent/rt/event.hpp"
#include "agent/rt/file.hpp"
#include "checks/incumbency.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace boost::asio {
class thread_pool;
}

namespace primacy::app {

// Both texts and back; pure. A text of a newer version, or damaged, is an error.
struct stored_watch {
    std::map<std::string, checks::watch_memory> topologies;
};
std::string incumbents_text(const stored_watch& stored);
std::string proof_text(const stored_watch& stored, const std::string& boot_id);
// `proof` may be empty: then nothing counts as watched.
rt::result<stored_watch> parse_stored(const std::string& incumbents, const std::string& proof,
                                      const std::string& boot_id);

class watch_store {
public:
    // Writes happen on `disk`; `report` is told of each failure, and with an empty message when
    // writing works again.
    watch_store(boost::asio::any_io_executor executor, boost::asio::thread_pool& disk,
                std::filesystem::path directory, std::function<void(const std::string&)> report);

    // Reads both files; a missing one is a first start. Blocking; called once, before the loop
    // runs.
    rt::result<void> load();
    // What is remembered of a topology; nothing at all is also an answer.
    checks::watch_state recalled(const std::string& topology) const;

    // Notes what a judgement concluded; run() writes it. True when names changed, which saved()
    // then waits for: nobody should be told a name that a crash would take back.
    bool note(const std::string& topology, const checks::watch_memory& now);
    // Until all names are on disk, or the deadline: a disk that hangs must not silence us.
    boost::asio::awaitable<void> saved(rt::deadline until);
    // Forgets topologies that are not configured any more.
    void keep_only(const std::vector<std::string>& topologies);
    // Until cancelled; then writes once more what is not written yet.
    boost::asio::awaitable<void> run();

private:
    // A job for the disk's thread. A named type, made outside the coroutine that awaits it: g++ 12
    // spoils the frame of a coroutine that holds a lambda made from members.
    struct file_write {
        std::filesystem::path path;
        std::string text;
        rt::durability how;
        rt::result<void> operator()() const { return rt::replace_file(path, text, how); }
    };
    file_write proof_write() const;
    file_write names_write() const;
    boost::asio::awaitable<void> write_what_changed();

    boost::asio::any_io_executor executor_;
    boost::asio::thread_pool& disk_;
    std::filesystem::path directory_;
    std::function<void(const std::string&)> report_;
    std::string boot_id_;
    stored_watch stored_;
    rt::event changed_;
    bool names_changed_ = false;
    bool writing_names_ = false;
    bool proof_changed_ = false;
    bool failing_ = false;
};

}  // namespace primacy::app
