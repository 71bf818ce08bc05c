#include "agent/rt/sql/network.hpp"

#include <openssl/x509.h>

#include <cstdlib>
#include <utility>

namespace primacy::rt::sql {

namespace {

constexpr std::size_t most_handshakes = 16;

std::string setting_or(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    return value ? value : otherwise;
}

const trusted_authorities& of_the_system() {
    static const trusted_authorities found{
        setting_or(::X509_get_default_cert_file_env(), ::X509_get_default_cert_file()),
        setting_or(::X509_get_default_cert_dir_env(), ::X509_get_default_cert_dir())};
    return found;
}

}  // namespace

trusted_authorities system_authorities() {
    return of_the_system();
}

// The client library parses the system's bundle of authorities for every connection that names
// none, also when nothing is to be checked: 23 ms of CPU where a login takes 2. We name them where
// they count, and nobody else needs to find them. (Children get no environment but what they are
// given, see process.hpp.)
network::network(boost::asio::any_io_executor executor) : names(std::move(executor)) {
    std::ignore = of_the_system();
    ::setenv(::X509_get_default_cert_file_env(), "/dev/null", 1);
}

network::~network() {
    if (handshakes_) handshakes_->join();
}

boost::asio::thread_pool& network::handshakes() {
    if (!handshakes_) handshakes_.emplace(most_handshakes);
    return *handshakes_;
}

}  // namespace primacy::rt::sql
