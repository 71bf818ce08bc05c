// Reads two servers and finds out what the one holds that the other lacks, and where that lies in
// its binary log. Changes nothing in either. The decisions are in fencing/binlog_search.hpp.
#pragma once

#include "agent/rt/deadline.hpp"
#include "agent/rt/error.hpp"
#include "agent/rt/sql/endpoint.hpp"
#include "fencing/loss.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <string>

namespace primacy::rt::sql {
class network;
}

namespace primacy::fencing {

struct loss_survey {
    std::string loser;  // its name
    rt::sql::endpoint loser_at, survivor_at;
    // It is proved to be stopped. One that still takes writes is looked at more gently, because on
    // MariaDB its commits wait for each look into the binary log.
    bool stopped = false;
};

// Never fails otherwise than by what the loss says of itself. The loser is read first, so that
// nothing looks lost that was on its way. `network` outlives the call.
boost::asio::awaitable<loss> survey_loss(boost::asio::any_io_executor executor,
                                         rt::sql::network& network, loss_survey asked,
                                         rt::deadline until);

// Whether the place of a loss could be found on this server; the error's sentence says what is
// missing for it. Changes nothing.
boost::asio::awaitable<rt::result<void>> check_loss_survey(boost::asio::any_io_executor executor,
                                                           rt::sql::network& network,
                                                           rt::sql::endpoint where,
                                                           rt::deadline until);

}  // namespace primacy::fencing
