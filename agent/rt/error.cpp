#include "agent/rt/error.hpp"

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace primacy::rt {

std::string_view to_string(errc code) noexcept {
    switch (code) {
        case errc::refused: return "refused";
        case errc::unreachable: return "unreachable";
        case errc::timeout: return "timeout";
        case errc::dns: return "dns";
        case errc::denied: return "denied";
        case errc::too_many_connections: return "too_many_connections";
        case errc::lost: return "lost";
        case errc::tls: return "tls";
        case errc::protocol: return "protocol";
        case errc::query: return "query";
        case errc::cancelled: return "cancelled";
        case errc::io: return "io";
        case errc::config: return "config";
        case errc::usage: return "usage";
        case errc::limit: return "limit";
        case errc::internal: return "internal";
    }
    return "internal";
}

void throw_exception_from_error(const error& failure, const boost::source_location& where) {
    throw std::logic_error(std::string(where.file_name()) +
                           ": value() of an error: " + failure.message);
}

namespace {

errc class_of_errno(int native) noexcept {
    switch (native) {
        case ECONNREFUSED: return errc::refused;
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENETDOWN: return errc::unreachable;
        case ETIMEDOUT: return errc::timeout;
        case ECONNRESET:
        case EPIPE:
        case ECONNABORTED: return errc::lost;
        case ECANCELED: return errc::cancelled;
        default: return errc::io;
    }
}

}  // namespace

error from_errno(int native, std::string_view doing) {
    return {class_of_errno(native), native,
            std::string(doing) + ": " + std::generic_category().message(native)};
}

}  // namespace primacy::rt
