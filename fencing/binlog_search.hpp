// Where in a server's binary log given transactions begin: a state machine that says what to ask
// next (the head of a file, or some events of it) and is told the rows. Walks back from the newest
// file to the one that was begun before the first of them, by the list of GTIDs that each file
// begins with, and then forward through its events. Pure: knows no connection and no clock.
#pragma once

#include "checks/history.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

struct binlog_place {
    std::string file;
    std::uint64_t position = 0;

    std::string text() const { return file + ":" + std::to_string(position); }
    bool operator==(const binlog_place&) const = default;
};

// One row of SHOW BINLOG EVENTS, as far as it matters. Where the next one begins is not part of it:
// MariaDB 11.8 does not tell for most events.
struct binlog_event {
    std::uint64_t position = 0;
    std::string_view type;  // "Gtid", "Gtid_list", "Previous_gtids", …
    std::string_view info;
};

enum class binlog_step {
    head,    // the first rows of the file
    events,  // `rows` rows from `from` on
    done
};

struct binlog_question {
    binlog_step what = binlog_step::done;
    std::string file;
    std::uint64_t from = 0;
    std::size_t rows = 0;
};

struct binlog_findings {
    std::optional<binlog_place> first;  // where the first of them begins
    std::string trouble;                // why it is not known, or not everything was looked at
    // MariaDB: where each of the ranges begins, in their order.
    std::vector<std::optional<binlog_place>> range_begins;
    // How many of them were seen; all that there are when `complete`.
    std::uint64_t seen = 0;
    bool complete = false;
    bool encrypted = false;  // only the server itself can read the files
};

class binlog_search {
public:
    // `wanted` is decided and not empty. `files` oldest first; `end` is where the binary log ended
    // when they were compared. `rows_at_once` is how much one question may ask for, 2 at least.
    binlog_search(checks::history_comparison wanted, std::vector<std::string> files,
                  binlog_place end, std::size_t rows_at_once);

    binlog_question next() const;
    // The rows that the question of next() brought, in the order of the file.
    void answer(const std::vector<binlog_event>& rows);
    // The question of next() cannot be answered, or time is over; a sentence's end.
    void give_up(std::string why);

    const binlog_findings& found() const noexcept { return found_; }

private:
    void judge_head(const std::vector<binlog_event>& rows);
    void look_through(const std::vector<binlog_event>& rows);
    void note(const binlog_event& gtid);
    void finish();
    std::optional<bool> begins_after_the_first(const binlog_event& list) const;
    std::uint64_t bound() const;

    checks::history_comparison wanted_;
    std::vector<std::string> files_;
    binlog_place end_;
    std::size_t rows_at_once_;
    binlog_step step_ = binlog_step::head;
    std::size_t file_ = 0;    // index of the one that is asked about
    std::uint64_t from_ = 0;  // of the next events
    std::uint64_t last_ = 0;  // position of the last event that was seen in this file; 0: none
    binlog_findings found_;
};

// The GTID of a Gtid event: "BEGIN GTID 0-1-5 cid=7" as "0-1-5",
// "SET @@SESSION.GTID_NEXT= 'uuid:5'" as "uuid:5"; empty when there is none.
std::string_view gtid_of(const binlog_event& event) noexcept;

}  // namespace primacy::fencing
