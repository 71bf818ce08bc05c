#include "agent/rt/sql/errors.hpp"

#include "agent/rt/text.hpp"

#include <mysqld_error.h>

#include <cerrno>
#include <charconv>
#include <errmsg.h>

namespace primacy::rt::sql {

// Numbers without a name here are missing from one flavour's header or the other's.
errc classify(unsigned number) noexcept {
    switch (number) {
        case ER_CON_COUNT_ERROR:            // 1040
        case ER_TOO_MANY_USER_CONNECTIONS:  // 1203
        case ER_USER_LIMIT_REACHED:         // 1226
            return errc::too_many_connections;
        case ER_DBACCESS_DENIED_ERROR:         // 1044
        case ER_ACCESS_DENIED_ERROR:           // 1045
        case ER_HOST_IS_BLOCKED:               // 1129
        case ER_HOST_NOT_PRIVILEGED:           // 1130
        case ER_TABLEACCESS_DENIED_ERROR:      // 1142
        case ER_COLUMNACCESS_DENIED_ERROR:     // 1143
        case ER_SPECIFIC_ACCESS_DENIED_ERROR:  // 1227
        case 1251:                             // client does not support the authentication
        case 1275:                             // server wants the old protocol
        case 1524:                             // authentication plugin is not loaded
        case 1698:                             // access denied, no password was asked for
        case 1820:                             // password must be changed first
        case 1862:                             // password expired
        case 3118:                             // MySQL: account is locked
        case 3159:                             // MySQL: connections without TLS are prohibited
        case 3955:                             // MySQL: blocked after failed logins
        case 4151:                             // MariaDB: account is locked
        case CR_AUTH_PLUGIN_CANNOT_LOAD:       // 2059
            return errc::denied;
        case ER_SERVER_SHUTDOWN:    // 1053
        case ER_NORMAL_SHUTDOWN:    // 1077
        case 1152:                  // aborting connection
        case 1158:                  // reading communication packets
        case 1159:                  // timeout reading communication packets
        case 1160:                  // writing communication packets
        case 1161:                  // timeout writing communication packets
        case 1184:                  // aborting connection
        case 1927:                  // MariaDB: connection was killed
        case 4031:                  // MySQL: disconnected for inactivity
        case CR_SERVER_GONE_ERROR:  // 2006
        case CR_SERVER_LOST:        // 2013
        case 2055:                  // lost connection, with the system's errno
            return errc::lost;
        case CR_SSL_CONNECTION_ERROR:  // 2026
            return errc::tls;
        case CR_UNKNOWN_HOST:  // 2005
            return errc::dns;
        case CR_VERSION_ERROR:         // 2007
        case CR_SERVER_HANDSHAKE_ERR:  // 2012
        case CR_COMMANDS_OUT_OF_SYNC:  // 2014
        case CR_MALFORMED_PACKET:      // 2027
            return errc::protocol;
        case CR_NET_PACKET_TOO_LARGE:  // 2020
        case CR_OUT_OF_MEMORY:         // 2008
            return errc::limit;
        case CR_CONNECTION_ERROR:      // 2002
        case CR_CONN_HOST_ERROR:       // 2003
            return errc::unreachable;  // until the system's errno says better
        default: return number >= 2000 && number < 3000 ? errc::protocol : errc::query;
    }
}

namespace {

// The library reports every failure to connect as 2002 or 2003 and keeps the real number only
// inside its own message; there is no other way to get at it. An errno stands in brackets at the
// end. The error that a server sent before TLS began stands as ": 1040 - Too many connections".
int errno_in_brackets(std::string_view message) {
    auto open = message.rfind('(');
    if (open == std::string_view::npos) return 0;
    int value = 0;
    std::from_chars(message.data() + open + 1, message.data() + message.size(), value);
    return value;
}

int number_before_tls(std::string_view message) {
    for (auto at = message.find(": "); at != std::string_view::npos;
         at = message.find(": ", at + 1)) {
        int value = 0;
        const char* end = message.data() + message.size();
        auto [rest, failed] = std::from_chars(message.data() + at + 2, end, value);
        if (failed == std::errc() && std::string_view(rest, end).starts_with(" - ")) return value;
    }
    return 0;
}

}  // namespace

error server_error(unsigned number, std::string_view message, const std::string& doing) {
    std::string text = valid_utf8(message);
    if (number == CR_CONNECTION_ERROR || number == CR_CONN_HOST_ERROR) {
        if (int server = number_before_tls(text); server >= 1000) {
            number = static_cast<unsigned>(server);
        } else if (int native = errno_in_brackets(text); native > 0) {
            error made = from_errno(native, doing);
            if (native == ENOENT) made.code = errc::refused;  // no socket file: nobody listens
            return made;
        }
    }
    return {classify(number), static_cast<int>(number),
            doing + ": " + text + " (" + std::to_string(number) + ")"};
}

}  // namespace primacy::rt::sql
