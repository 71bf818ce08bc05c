#include "agent/app/config/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <charconv>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>

namespace primacy::app {

namespace {

constexpr std::size_t longest_host = 253;

rt::error complaint(std::string sentence) {
    return {rt::errc::config, 0, std::move(sentence)};
}

std::optional<std::string> canonical_ip(const std::string& text) {
    char made[INET6_ADDRSTRLEN];
    in_addr four{};
    if (::inet_pton(AF_INET, text.c_str(), &four) == 1)
        return ::inet_ntop(AF_INET, &four, made, sizeof made);
    in6_addr six{};
    if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return std::nullopt;
    if (IN6_IS_ADDR_V4MAPPED(&six))
        return ::inet_ntop(AF_INET, &six.s6_addr[12], made, sizeof made);
    return ::inet_ntop(AF_INET6, &six, made, sizeof made);
}

std::string without_scope(std::string_view host) {
    return std::string(host.substr(0, host.find('%')));
}

bool is_name_letter(unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
}

bool looks_like_ipv4(std::string_view text) {
    return text.find_first_not_of("0123456789.") == text.npos;
}

rt::result<std::uint16_t> parse_port(std::string_view digits) {
    std::uint16_t port = 0;
    const char* end = digits.data() + digits.size();
    const auto [stop, failed] = std::from_chars(digits.data(), end, port);
    if (failed != std::errc() || stop != end || port == 0)
        return complaint("a port from 1 to 65535 after the last colon");
    return port;
}

}  // namespace

rt::result<void> check_host(std::string_view text) {
    if (text.empty() || text.size() > longest_host)
        return complaint("a host name or an IP address");
    if (text.front() == '[')
        return complaint("an IPv6 address without brackets; a port has a key of its own");
    const auto colons = std::count(text.begin(), text.end(), ':');
    if (colons == 1) return complaint("a host without a port; a port has a key of its own");
    if (colons > 1) {
        if (canonical_ip(without_scope(text))) return {};
        return complaint("a host name or an IP address");
    }
    const bool letters_only = std::all_of(text.begin(), text.end(), is_name_letter);
    // A leading dash would be an option to the programs that are started with this name.
    if (!letters_only || text.front() == '-' || text.front() == '.' || text.find("..") != text.npos)
        return complaint("a host name or an IP address");
    if (looks_like_ipv4(text) && !canonical_ip(std::string(text)))
        return complaint("an IPv4 address of four numbers from 0 to 255");
    return {};
}

rt::result<host_port> parse_host_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos) return complaint("\"host:port\"");
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != (host.find(':') != host.npos))
        return complaint("\"host:port\", with an IPv6 address in brackets: \"[::1]:3306\"");
    auto port = parse_port(text.substr(colon + 1));
    if (!port) return port.error();
    if (auto fine = check_host(host); !fine) return fine.error();
    return host_port{std::string(host), *port};
}

rt::result<host_port> parse_listen(std::string_view text) {
    if (text.starts_with(':')) {
        auto port = parse_port(text.substr(1));
        if (!port) return port.error();
        return host_port{"", *port};
    }
    auto parsed = parse_host_port(text);
    if (!parsed) return parsed;
    if (parsed->host.find('%') != std::string::npos ||
        (parsed->host != "localhost" && !canonical_ip(parsed->host)))
        return complaint("an IP address of this machine, not a name, before the port");
    return parsed;
}

std::string address_text(std::string_view host, std::uint16_t port) {
    const bool brackets = host.find(':') != host.npos;
    return (brackets ? "[" : "") + std::string(host) + (brackets ? "]:" : ":") +
           std::to_string(port);
}

std::string canonical_address(std::string_view host, std::uint16_t port) {
    std::string plain(host);
    std::transform(plain.begin(), plain.end(), plain.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (plain.ends_with('.')) plain.pop_back();
    if (plain == "localhost") plain = "127.0.0.1";
    return address_text(canonical_ip(plain).value_or(plain), port);
}

bool is_loopback(std::string_view host) {
    const std::string plain = canonical_address(host, 0);
    return plain.starts_with("127.") || plain == "[::1]:0";
}

}  // namespace primacy::app
