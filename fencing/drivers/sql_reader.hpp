// One connection of the SQL rung: logs in, learns what kind of server it is, and reads the evidence
// that a fence rests on. Knows nothing of fencing order or outcome; changes nothing in the server
// but by tell().
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"
#include "agent/rt/sql/connection.hpp"
#include "checks/queries/queries.hpp"
#include "fencing/drivers/permission.hpp"
#include "fencing/rung_report.hpp"
#include "fencing/sql_evidence.hpp"
#include "fencing/sql_plan.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>
#include <vector>

namespace primacy::fencing {

// What the class of an error means for a rung that ended by it.
rung_failure failure_of(const rt::error& failure) noexcept;

class sql_reader {
public:
    // `network` and `where` outlive the reader; `may_act` is about tell().
    sql_reader(boost::asio::any_io_executor executor, rt::sql::network& network,
               const rt::sql::endpoint& where, permission may_act = {});

    // Logs in, asks for flavour and version, and bounds our own session; `lock_wait` in seconds.
    boost::asio::awaitable<rt::result<void>> greet(int lock_wait, rt::deadline until);

    // read_only, GTID and binlog position. The binlog position is absent where we may not ask.
    boost::asio::awaitable<rt::result<sql_reading>> read(rt::deadline until);
    // Absent: we may not see the sessions of others.
    boost::asio::awaitable<rt::result<std::optional<std::vector<sql_session>>>> read_sessions(
        rt::deadline until);
    // Absent: we may not read the accounts.
    boost::asio::awaitable<rt::result<std::optional<std::vector<std::string>>>>
    read_bypass_accounts(rt::deadline until);
    // Empty when it is not told.
    boost::asio::awaitable<std::string> read_hostname(rt::deadline until);
    // The lines of SHOW GRANTS.
    boost::asio::awaitable<rt::result<std::vector<std::string>>> read_grants(rt::deadline until);

    // A statement of the caller's; its answer.
    boost::asio::awaitable<rt::result<void>> ask(std::string_view statement, rt::sql::rows& answer,
                                                 rt::deadline until,
                                                 rt::sql::answer_limits limits = {});
    // A statement that changes something and has no answer that matters. errc::cancelled: it was
    // not allowed any more, and not sent.
    boost::asio::awaitable<rt::result<void>> tell(std::string_view statement, rt::deadline until);

    // Since the last good greet().
    checks::flavor kind() const noexcept { return identity_.kind; }
    checks::server_version version() const noexcept { return identity_.version; }
    bool usable() const noexcept { return link_.usable(); }
    void close() noexcept { link_.close(); }

private:
    const rt::sql::endpoint& where_;
    const permission may_act_;
    rt::sql::connection link_;
    rt::sql::rows answer_;
    checks::queries::identity identity_;
};

}  // namespace primacy::fencing
