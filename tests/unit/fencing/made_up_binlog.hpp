// A server's binary log in memory: files of events as SHOW BINLOG EVENTS tells them, for tests of
// those who look through it.
#pragma once

#include "fencing/binlog_search.hpp"

#include <string>
#include <utility>
#include <vector>

namespace primacy::tests {

struct made_up_event {
    std::uint64_t position;
    std::string type;
    std::string info;
};

class made_up_binlog {
public:
    explicit made_up_binlog(checks::flavor kind) : kind_(kind) { rotate(); }

    // A new file, which begins with what was written before it.
    void rotate() {
        std::string number = std::to_string(++files_made_);
        files.push_back({"binlog." + std::string(6 - number.size(), '0') + number, {}});
        end_ = 4;
        add("Format_desc", "Server ver: made up, Binlog ver: 4", 252);
        if (kind_ == checks::flavor::mysql)
            add("Previous_gtids", executed_.to_string(), 31);
        else
            add("Gtid_list", "[" + state_text() + "]", 29);
    }

    // One transaction; returns where it begins.
    fencing::binlog_place write(std::uint32_t server, std::uint64_t sequence, int rows = 1) {
        const fencing::binlog_place begins{files.back().first, end_};
        if (kind_ == checks::flavor::mysql) {
            const std::string gtid = uuid_of(server) + ":" + std::to_string(sequence);
            add("Gtid", "SET @@SESSION.GTID_NEXT= '" + gtid + "'", 79);
            add("Query", "BEGIN", 75);
            executed_ = executed_.united(*checks::mysql_gtid_set::parse(gtid));
        } else {
            add("Gtid",
                "BEGIN GTID 0-" + std::to_string(server) + "-" + std::to_string(sequence) +
                    " cid=12",
                42);
            last_[server] = sequence;
        }
        for (int row = 0; row < rows; ++row)
            add("Write_rows_v1", "table_id: 18 flags: STMT_END_F", 54);
        add("Xid", "COMMIT /* xid=32 */", 31);
        return begins;
    }

    void purge_oldest() { files.erase(files.begin()); }

    fencing::binlog_place end() const { return {files.back().first, end_}; }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& [name, events] : files)
            all.push_back(name);
        return all;
    }
    // The rows that a question brings; views into this object.
    std::vector<fencing::binlog_event> rows(const fencing::binlog_question& asked) const {
        std::vector<fencing::binlog_event> found;
        for (const auto& [name, events] : files)
            for (const auto& event : events)
                if (name == asked.file && event.position >= asked.from && found.size() < asked.rows)
                    found.push_back({event.position, event.type, event.info});
        return found;
    }
    static std::string uuid_of(std::uint32_t server) {
        return "00000000-0000-0000-0000-00000000000" + std::to_string(server);
    }

    std::vector<std::pair<std::string, std::vector<made_up_event>>> files;

private:
    void add(const std::string& type, const std::string& info, std::uint64_t size) {
        files.back().second.push_back({end_, type, info});
        end_ += size;
    }
    std::string state_text() const {
        std::string text;
        for (const auto& [server, sequence] : last_)
            text += (text.empty() ? "0-" : ",0-") + std::to_string(server) + "-" +
                    std::to_string(sequence);
        return text;
    }

    checks::flavor kind_;
    std::uint64_t files_made_ = 0;
    std::uint64_t end_ = 4;
    std::map<std::uint32_t, std::uint64_t> last_;
    checks::mysql_gtid_set executed_;
};

}  // namespace primacy::tests
