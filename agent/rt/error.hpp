// Errors are values: a class that a program can act on and one sentence that a person can.
// Knows nothing of SQL, HTTP or replication; whoever detects an error gives it its class.
#pragma once

#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace primacy::rt {

enum class errc {
    refused,               // the peer's host answered and nobody listens there
    unreachable,           // no route to the peer's host
    timeout,               // a deadline passed; what was asked for may still take effect
    dns,                   // the name could not be resolved
    denied,                // the peer is alive and does not let us in
    too_many_connections,  // the peer is alive and has no connection left for us
    lost,                  // the connection ended before the answer did
    tls,                   // no agreement on encryption, or the certificate is not the peer's
    protocol,              // the peer sent something that it should not
    query,                 // the peer understood us and reported an error
    cancelled,             // we are stopping; nobody needs to hear about it
    io,                    // a local file or descriptor
    config,                // a value that a person wrote
    usage,                 // a command line that a person wrote
    limit,                 // an answer larger than we are willing to hold
    internal,              // a bug of ours
};

// The class as it appears in JSON, metric labels and logs ("too_many_connections").
std::string_view to_string(errc code) noexcept;

struct error {
    errc code = errc::internal;
    int native = 0;       // errno, or the server's error number; 0 when there is none
    std::string message;  // one sentence; never holds a secret
};

template <class T = void>
using result = boost::system::result<T, error>;

// Called by result::value() on an error: asking for a value that is not there is a bug.
[[noreturn]] void throw_exception_from_error(const error& failure,
                                             const boost::source_location& where);

// An error from errno (or a value of it), classed; `doing` says what failed: "open /etc/x".
error from_errno(int native, std::string_view doing);

}  // namespace primacy::rt
