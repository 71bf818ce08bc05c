#include "fencing/binlog_search.hpp"

#include <algorithm>
#include <utility>

namespace primacy::fencing {

using namespace primacy::checks;

namespace {

constexpr std::size_t rows_of_a_head = 6;  // the list is the second event, or the third
constexpr std::uint64_t first_position = 4;

std::string_view without_brackets(std::string_view text) {
    if (text.starts_with('[')) text.remove_prefix(1);
    if (text.ends_with(']')) text.remove_suffix(1);
    return text;
}

std::optional<mariadb_gtid> one_gtid(std::string_view text) {
    const auto parsed = mariadb_gtid_state::parse(text);
    if (!parsed || parsed->entries().size() != 1) return std::nullopt;
    return parsed->entries().front();
}

}  // namespace

std::string_view gtid_of(const binlog_event& event) noexcept {
    if (!event.type.starts_with("Gtid") || event.type == "Gtid_list") return {};
    if (const auto quote = event.info.find('\''); event.info.starts_with("SET ")) {
        if (quote == std::string_view::npos) return {};
        const auto rest = event.info.substr(quote + 1);
        return rest.substr(0, rest.find('\''));
    }
    constexpr std::string_view word = "GTID ";
    const auto at = event.info.rfind(word);
    if (at == std::string_view::npos) return {};
    const auto rest = event.info.substr(at + word.size());
    return rest.substr(0, rest.find(' '));
}

binlog_search::binlog_search(history_comparison wanted, std::vector<std::string> files,
                             binlog_place end, std::size_t rows_at_once)
    : wanted_(std::move(wanted)),
      files_(std::move(files)),
      end_(std::move(end)),
      rows_at_once_(std::max<std::size_t>(2, rows_at_once)) {
    found_.range_begins.resize(wanted_.ranges.size());
    const auto newest = std::find(files_.begin(), files_.end(), end_.file);
    if (newest == files_.end())
        give_up("its list of binary logs does not hold " + end_.file + ", which it writes");
    else
        file_ = static_cast<std::size_t>(newest - files_.begin());
}

binlog_question binlog_search::next() const {
    switch (step_) {
        case binlog_step::head: return {step_, files_[file_], first_position, rows_of_a_head};
        case binlog_step::events: return {step_, files_[file_], from_, rows_at_once_};
        case binlog_step::done: break;
    }
    return {};
}

void binlog_search::answer(const std::vector<binlog_event>& rows) {
    if (step_ == binlog_step::head) judge_head(rows);
    // The last one of an earlier answer is asked for again, because only its position is certain.
    else if (step_ == binlog_step::events)
        look_through(rows);
}

void binlog_search::give_up(std::string why) {
    found_.trouble = std::move(why);
    step_ = binlog_step::done;
}

// Whether one of those that are wanted was written before this file; absent when the list makes no
// sense.
std::optional<bool> binlog_search::begins_after_the_first(const binlog_event& list) const {
    if (list.type == "Previous_gtids") {
        const auto before = mysql_gtid_set::parse(list.info);
        if (!before) return std::nullopt;
        return wanted_.gtids.minus(*before) != wanted_.gtids;
    }
    const auto before = mariadb_gtid_state::parse(without_brackets(list.info));
    if (!before) return std::nullopt;
    return std::any_of(wanted_.ranges.begin(), wanted_.ranges.end(), [&](const auto& range) {
        const auto last = before->sequence_of(range.domain, range.server_id);
        return last && *last >= range.first;
    });
}

void binlog_search::judge_head(const std::vector<binlog_event>& rows) {
    std::optional<bool> too_late;
    for (const auto& row : rows) {
        if (row.type == "Start_encryption") found_.encrypted = true;
        if (row.type == "Gtid_list" || row.type == "Previous_gtids")
            too_late = begins_after_the_first(row);
    }
    if (!too_late) {
        give_up(files_[file_] + " does not begin with the GTIDs of what was written before it");
    } else if (*too_late && file_ == 0) {
        give_up("what came first has been purged with the binary logs before " + files_[file_]);
    } else if (*too_late) {
        --file_;
    } else {
        step_ = binlog_step::events;
        from_ = first_position;
        last_ = 0;
    }
}

void binlog_search::look_through(const std::vector<binlog_event>& rows) {
    for (const auto& row : rows) {
        if (row.position <= last_) continue;
        if (file_ < files_.size() && files_[file_] == end_.file && row.position >= end_.position)
            return finish();
        last_ = row.position;
        note(row);
        if (found_.first && found_.seen >= bound()) {
            found_.complete = true;
            step_ = binlog_step::done;
            return;
        }
    }
    if (rows.size() >= rows_at_once_) {
        from_ = last_;
        return;
    }
    if (files_[file_] == end_.file) return finish();
    ++file_;
    from_ = first_position;
    last_ = 0;
}

// A set is counted by itself, and one of its transactions in the binary log is enough to know where
// it begins; a range may hold numbers of other writers, and is counted to its end.
std::uint64_t binlog_search::bound() const {
    return wanted_.ranges.empty() ? 1 : wanted_.transactions;
}

void binlog_search::note(const binlog_event& event) {
    const auto text = gtid_of(event);
    if (text.empty()) return;
    const binlog_place here{files_[file_], event.position};
    if (wanted_.ranges.empty()) {
        const auto one = mysql_gtid_set::parse(text);
        if (!one || one->empty() || !wanted_.gtids.contains(*one)) return;
    } else {
        const auto one = one_gtid(text);
        if (!one) return;
        bool is_wanted = false;
        for (std::size_t i = 0; i < wanted_.ranges.size(); ++i) {
            const auto& range = wanted_.ranges[i];
            if (one->domain != range.domain || one->server_id != range.server_id ||
                one->sequence < range.first || one->sequence > range.last)
                continue;
            is_wanted = true;
            if (!found_.range_begins[i]) found_.range_begins[i] = here;
        }
        if (!is_wanted) return;
    }
    ++found_.seen;
    if (!found_.first) found_.first = here;
}

void binlog_search::finish() {
    if (!found_.first) return give_up("they were not found in it");
    found_.complete = true;
    step_ = binlog_step::done;
}

}  // namespace primacy::fencing
