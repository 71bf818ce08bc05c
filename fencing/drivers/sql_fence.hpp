// One fence of one server by SQL, from the first connection to the report; and the gathering of
// evidence, which a later look (driver::verify) shares with it.
#pragma once

#include "fencing/drivers/sql.hpp"
#include "fencing/drivers/sql_reader.hpp"
#include "fencing/drivers/sql_session_killer.hpp"

#include <optional>
#include <string>

namespace primacy::fencing {

// Two readings on two new connections, and who is there after them. Changes nothing.
boost::asio::awaitable<rt::result<sql_evidence>> gather_evidence(
    boost::asio::any_io_executor executor, rt::sql::network& network,
    const sql_fence_options& options, rt::deadline until);

// The report of an error that came before anything was sent that could have an effect.
rung_report report_without_effect(const std::string& server, const rt::error& failure);
// The report of an error while evidence was gathered: it proves nothing.
rung_report report_without_evidence(const std::string& server, const rt::error& failure);

// Used once. Being cancelled is a value here: throw_if_cancelled is off.
class sql_fence {
public:
    sql_fence(boost::asio::any_io_executor executor, rt::sql::network& network, std::string server,
              const sql_fence_options& options, permission may_act);

    boost::asio::awaitable<rung_report> run(rt::deadline until);

private:
    boost::asio::awaitable<rt::result<void>> begin(rt::deadline until);
    boost::asio::awaitable<rung_report> one_round(rt::deadline until);
    boost::asio::awaitable<rt::result<void>> close_server(rt::deadline until);
    boost::asio::awaitable<rt::result<void>> send_closing(std::string_view statement,
                                                          rt::deadline until);
    boost::asio::awaitable<rt::result<void>> end_sessions(rt::deadline until);

    rung_report report_refusal(const rt::error& failure) const;
    void weigh_unanswered(rung_report& report) const;
    void add_facts(rung_report& report, rt::time_point began) const;

    boost::asio::any_io_executor executor_;
    rt::sql::network& network_;
    const std::string server_;
    const sql_fence_options& options_;
    const permission may_act_;
    sql_reader setter_;
    std::optional<sql_reading> before_;
    kill_record record_;
    bool sent_ = false;        // a statement that closes the server has left us
    bool unanswered_ = false;  // one of them was never answered: it may apply at any time
    bool another_round_may_help_ = false;
    bool refused_ = false;  // the server will not be closed by us, whatever we do
};

}  // namespace primacy::fencing
