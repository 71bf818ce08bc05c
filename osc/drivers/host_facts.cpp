#include "osc/drivers/host_facts.hpp"

#include <climits>

#include <algorithm>
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace primacy::osc {

namespace {

// The bytes of a numeric address, in one form for both families; empty: it is none.
std::string bytes_of(const std::string& text) {
    in6_addr six{};
    if (::inet_pton(AF_INET6, text.c_str(), &six) == 1)
        return {reinterpret_cast<const char*>(&six), sizeof six};
    in_addr four{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1)
        return {reinterpret_cast<const char*>(&four), sizeof four};
    return "";
}

std::vector<std::string> own_addresses() {
    std::vector<std::string> made;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return made;
    for (const ifaddrs* each = list; each; each = each->ifa_next) {
        if (!each->ifa_addr) continue;
        if (each->ifa_addr->sa_family == AF_INET) {
            const auto* four = reinterpret_cast<const sockaddr_in*>(each->ifa_addr);
            made.emplace_back(reinterpret_cast<const char*>(&four->sin_addr), sizeof(in_addr));
        } else if (each->ifa_addr->sa_family == AF_INET6) {
            const auto* six = reinterpret_cast<const sockaddr_in6*>(each->ifa_addr);
            made.emplace_back(reinterpret_cast<const char*>(&six->sin6_addr), sizeof(in6_addr));
        }
    }
    ::freeifaddrs(list);
    return made;
}

}  // namespace

bool is_of_this_host(const std::vector<std::string>& addresses) {
    const auto own = own_addresses();
    return std::any_of(addresses.begin(), addresses.end(), [&](const std::string& text) {
        const std::string bytes = bytes_of(text);
        if (bytes.empty()) return false;
        // All of 127.0.0.0/8 is this host, whatever the interface says.
        if (bytes.size() == sizeof(in_addr) && bytes[0] == 127) return true;
        return std::find(own.begin(), own.end(), bytes) != own.end();
    });
}

std::optional<std::uint64_t> free_bytes_of(const server_place& place) {
    char name[HOST_NAME_MAX + 1] = {};
    ::gethostname(name, HOST_NAME_MAX);
    const bool here = place.by_socket || is_of_this_host(place.addresses);
    if (!here || place.hostname != name || !place.datadir.starts_with('/')) return std::nullopt;
    struct statvfs facts {};
    if (::statvfs(place.datadir.c_str(), &facts) != 0) return std::nullopt;
    return static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
}

}  // namespace primacy::osc
