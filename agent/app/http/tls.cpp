#include "agent/app/http/tls.hpp"

#include "agent/rt/file.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <sys/stat.h>

namespace primacy::app::http {

namespace {

template <auto Free>
struct freed_by {
    template <class T>
    void operator()(T* owned) const {
        Free(owned);
    }
};
using bio = std::unique_ptr<BIO, freed_by<BIO_free>>;
using certificate = std::unique_ptr<X509, freed_by<X509_free>>;
using private_key = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using context = std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>>;

constexpr std::size_t largest_file = 1024 * 1024;

rt::error config_error(std::string sentence) {
    ERR_clear_error();
    return {rt::errc::config, 0, std::move(sentence)};
}

rt::result<bio> open_pem(const std::string& name, const std::string& path) {
    auto text = rt::read_file(path, largest_file);
    if (text.has_error()) {
        rt::error failed = text.error();
        failed.message = name + ": " + failed.message;
        return failed;
    }
    bio memory(BIO_new(BIO_s_mem()));
    BIO_write(memory.get(), text->data(), static_cast<int>(text->size()));
    return memory;
}

// OpenSSL's own default would ask the terminal for a passphrase and wait.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

certificate next_certificate(const bio& pem) {
    certificate next(PEM_read_bio_X509(pem.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return next;
}

rt::result<> use_certificates(const context& made, const std::string& path) {
    auto pem = open_pem("cert_file", path);
    if (pem.has_error()) return pem.error();
    const certificate own = next_certificate(*pem);
    if (!own) return config_error("cert_file " + path + " holds no certificate in PEM form");
    if (SSL_CTX_use_certificate(made.get(), own.get()) != 1) {
        return config_error("cert_file " + path + " holds a certificate that OpenSSL refuses");
    }
    while (certificate issuer = next_certificate(*pem)) {
        if (SSL_CTX_add1_chain_cert(made.get(), issuer.get()) != 1) {
            return config_error("cert_file " + path + " holds a chain that OpenSSL refuses");
        }
    }
    return {};
}

rt::result<> use_key(const context& made, const tls_files& files) {
    struct stat found {};
    if (::stat(files.key_file.c_str(), &found) == 0 && (found.st_mode & 0137) != 0) {
        return config_error("key_file " + files.key_file +
                            " can be read or written by too many; chmod 0640 it");
    }
    auto pem = open_pem("key_file", files.key_file);
    if (pem.has_error()) return pem.error();
    const private_key key(PEM_read_bio_PrivateKey(pem->get(), nullptr, no_passphrase, nullptr));
    if (!key) {
        return config_error("key_file " + files.key_file +
                            " holds no private key in PEM form without a passphrase");
    }
    if (SSL_CTX_use_PrivateKey(made.get(), key.get()) != 1 ||
        SSL_CTX_check_private_key(made.get()) != 1) {
        return config_error("key_file " + files.key_file +
                            " does not belong to the certificate in cert_file " + files.cert_file);
    }
    return {};
}

rt::result<> demand_client_certificate(const context& made, const std::string& path) {
    auto pem = open_pem("client_ca_file", path);
    if (pem.has_error()) return pem.error();
    X509_STORE* trusted = SSL_CTX_get_cert_store(made.get());
    bool any = false;
    while (certificate authority = next_certificate(*pem)) {
        // The list of names tells a client which of its certificates to show.
        any = X509_STORE_add_cert(trusted, authority.get()) == 1 &&
              SSL_CTX_add_client_CA(made.get(), authority.get()) == 1;
        if (!any) break;
    }
    if (!any) return config_error("client_ca_file " + path + " holds no certificate in PEM form");
    SSL_CTX_set_verify(made.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return {};
}

}  // namespace

rt::result<std::shared_ptr<boost::asio::ssl::context>> load_tls(const tls_files& files) {
    if (files.cert_file.empty() || files.key_file.empty()) {
        return config_error("TLS needs both cert_file and key_file");
    }
    context made(SSL_CTX_new(TLS_server_method()));
    if (!made) return rt::error{rt::errc::internal, 0, "OpenSSL made no TLS context"};
    SSL_CTX_set_min_proto_version(made.get(), TLS1_2_VERSION);
    SSL_CTX_set_options(made.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                        SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_num_tickets(made.get(), 0);
    SSL_CTX_set_session_cache_mode(made.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(made.get(), SSL_MODE_RELEASE_BUFFERS);
    if (auto used = use_certificates(made, files.cert_file); used.has_error()) return used.error();
    if (auto used = use_key(made, files); used.has_error()) return used.error();
    if (!files.client_ca_file.empty()) {
        auto used = demand_client_certificate(made, files.client_ca_file);
        if (used.has_error()) return used.error();
    }
    return std::make_shared<boost::asio::ssl::context>(made.release());
}

}  // namespace primacy::app::http
