#include "agent/rt/sql/endpoint.hpp"

namespace primacy::rt::sql {

std::string endpoint::address() const {
    if (!socket.empty()) return socket;
    const bool six = host.find(':') != std::string::npos;
    return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace primacy::rt::sql
