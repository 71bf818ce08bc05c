// What the connections of a program share: name lookups, and threads for the one thing that the
// client library cannot do without blocking, which is a TLS handshake.
#pragma once

#include "agent/rt/resolver.hpp"

#include <boost/asio/thread_pool.hpp>

#include <optional>
#include <string>

namespace primacy::rt::sql {

// Outlives its connections; lives no longer than the event loop. Loop thread only.
class network {
public:
    explicit network(boost::asio::any_io_executor executor);
    ~network();
    network(const network&) = delete;

    resolver names;

    // Made at the first use. So many handshakes are under way at once; others wait for their turn.
    // One ends at the deadline of its connection, also when the server says nothing.
    boost::asio::thread_pool& handshakes();

private:
    std::optional<boost::asio::thread_pool> handshakes_;
};

// The bundle and the directory of trusted authorities that this system has for everybody.
struct trusted_authorities {
    std::string file;
    std::string directory;
};
trusted_authorities system_authorities();

}  // namespace primacy::rt::sql
