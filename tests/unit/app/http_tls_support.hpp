// Certificates made on the spot, and a blocking TLS client.
#pragma once

#include "tests/unit/app/http_support.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <string>

namespace primacy::tests {

// PEM texts of a certificate and its key, valid for an hour.
struct issued {
    std::string certificate;
    std::string key;
};

// Signed by `issuer`, or by itself when null; then it may sign others.
issued issue(const std::string& name, const issued* issuer);
// The key's PEM, encrypted.
std::string with_passphrase(const issued& of, const std::string& passphrase);

class tls_client {
public:
    // Trusts `authority`, shows `own` when given, and speaks no newer version than `newest`.
    tls_client(std::uint16_t port, const std::string& authority, const issued* own = nullptr,
               int newest = TLS1_3_VERSION);
    ~tls_client();

    std::string handshake_error() const { return handshake_error_; }
    // Sends and reads one whole answer; empty when none comes.
    std::string exchange(const std::string& request);

private:
    client socket_;
    SSL_CTX* context_;
    SSL* tls_;
    std::string handshake_error_;
};

}  // namespace primacy::tests
