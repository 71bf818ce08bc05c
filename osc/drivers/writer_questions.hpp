// What is asked of a job's writer again and again while its tool is at work, on one connection that
// is kept: status variables, and transactions that would hold up a swap. Read-only.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/sql/connection.hpp"
#include "agent/rt/sql/endpoint.hpp"
#include "osc/spec.hpp"
#include "osc/throttle.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

namespace primacy::osc {

class writer_questions {
public:
    writer_questions(boost::asio::any_io_executor executor, rt::sql::network& network,
                     rt::sql::endpoint where);

    // One for each limit; its value is absent when the server did not tell it.
    boost::asio::awaitable<std::vector<throttle_load>> loads(std::vector<load_limit> limits,
                                                             rt::deadline until);
    // "a transaction of session 12 is open for 40 s", of the oldest that is older than `age` and no
    // tool's; empty: none, or the server does not say.
    boost::asio::awaitable<std::string> long_transaction(std::chrono::seconds age,
                                                         rt::deadline until);

private:
    boost::asio::awaitable<rt::result<void>> ask(std::string statement, rt::deadline until);

    rt::sql::endpoint where_;
    rt::sql::connection session_;
    rt::sql::rows answer_;
};

}  // namespace primacy::osc
