// The agent's journal of fences, written off the loop. Knows nothing of who decides.
#pragma once

#include "agent/app/guard/fence_entry.hpp"
#include "agent/rt/journal.hpp"

#include <boost/asio/awaitable.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace boost::asio {
class thread_pool;
}

namespace primacy::app {

struct journal_history {
    std::vector<fence_entry> entries;  // oldest first
    std::string trouble;               // what of it cannot be understood, and where; empty: nothing
};

// Reads without taking the journal; also while an agent writes it.
rt::result<journal_history> read_history(const std::filesystem::path& directory);

class fence_journal {
public:
    // `disk` has one thread, so that what is written keeps its order, and outlives the journal.
    fence_journal(boost::asio::thread_pool& disk, std::filesystem::path directory);

    // Takes the journal for this process and reads it. Blocking; before the loop runs.
    rt::result<journal_history> open();
    // The same when it was somebody else's at first (`native` of the error is EWOULDBLOCK).
    boost::asio::awaitable<rt::result<journal_history>> open_again();
    // Why nothing may be done on the strength of this journal; empty: it is whole and open.
    // What was damaged when it was read stays so, whatever is written later.
    const std::string& trouble() const noexcept { return damage_.empty() ? failure_ : damage_; }

    boost::asio::awaitable<rt::result<void>> write(fence_entry entry, rt::durability how);

private:
    struct opened {
        rt::journal file;
        rt::result<journal_history> history;
    };
    struct opening {
        std::filesystem::path directory;
        std::shared_ptr<rt::result<opened>> operator()() const;
    };
    rt::result<journal_history> adopt(rt::result<opened> made);

    struct append {
        rt::journal* to;
        std::string line;
        rt::durability how;
        rt::result<void> operator()() const { return to->append(line, how); }
    };

    boost::asio::thread_pool& disk_;
    std::filesystem::path directory_;
    std::optional<rt::journal> file_;
    std::string damage_;                               // of what was read
    std::string failure_ = "the journal is not open";  // of the newest write
};

}  // namespace primacy::app
