#include "tests/unit/app/http_tls_support.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <csignal>

namespace primacy::tests {

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

bio memory(const std::string& text) {
    return bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string text_of(const bio& from) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(from.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

certificate read_certificate(const std::string& pem) {
    return certificate(PEM_read_bio_X509(memory(pem).get(), nullptr, nullptr, nullptr));
}

private_key read_key(const std::string& pem) {
    return private_key(PEM_read_bio_PrivateKey(memory(pem).get(), nullptr, nullptr, nullptr));
}

void set_name(X509_NAME* subject, const std::string& name) {
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
}

void may_sign(X509* made) {
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(made, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

issued issue(const std::string& name, const issued* issuer) {
    static long serial = 1;
    const private_key key(EVP_EC_gen("P-256"));
    const certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key.get());
    set_name(X509_get_subject_name(made.get()), name);
    if (issuer == nullptr) {
        may_sign(made.get());
        X509_set_issuer_name(made.get(), X509_get_subject_name(made.get()));
        X509_sign(made.get(), key.get(), EVP_sha256());
    } else {
        const certificate authority = read_certificate(issuer->certificate);
        X509_set_issuer_name(made.get(), X509_get_subject_name(authority.get()));
        X509_sign(made.get(), read_key(issuer->key).get(), EVP_sha256());
    }
    const bio certificate_text(BIO_new(BIO_s_mem()));
    const bio key_text(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(certificate_text.get(), made.get());
    PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {text_of(certificate_text), text_of(key_text)};
}

std::string with_passphrase(const issued& of, const std::string& passphrase) {
    const bio text(BIO_new(BIO_s_mem()));
    PEM_write_bio_PrivateKey(text.get(), read_key(of.key).get(), EVP_aes_256_cbc(),
                             reinterpret_cast<const unsigned char*>(passphrase.data()),
                             static_cast<int>(passphrase.size()), nullptr, nullptr);
    return text_of(text);
}

tls_client::tls_client(std::uint16_t port, const std::string& authority, const issued* own,
                       int newest)
    : socket_(port), context_(SSL_CTX_new(TLS_client_method())) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    // Old versions need the lowest security level; whether they are taken is the server's to say.
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, newest);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), read_certificate(authority).get());
    if (own != nullptr) {
        SSL_CTX_use_certificate(context_, read_certificate(own->certificate).get());
        SSL_CTX_use_PrivateKey(context_, read_key(own->key).get());
    }
    const timeval patience{15, 0};
    ::setsockopt(socket_.native(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, socket_.native());
    ERR_clear_error();
    if (SSL_connect(tls_) != 1) {
        const char* reason = ERR_reason_error_string(ERR_peek_last_error());
        handshake_error_ = reason == nullptr ? "closed" : reason;
    }
    ERR_clear_error();
}

tls_client::~tls_client() {
    SSL_free(tls_);
    SSL_CTX_free(context_);
}

std::string tls_client::exchange(const std::string& request) {
    if (!handshake_error_.empty()) return {};
    if (SSL_write(tls_, request.data(), static_cast<int>(request.size())) <= 0) return {};
    std::string got;
    std::size_t expected = std::string::npos;
    std::array<char, 32 * 1024> part;
    while (got.size() < expected) {
        const int size = SSL_read(tls_, part.data(), static_cast<int>(part.size()));
        if (size <= 0) break;
        got.append(part.data(), static_cast<std::size_t>(size));
        const auto head_end = got.find("\r\n\r\n");
        const auto length = got.find("Content-Length: ");
        if (expected == std::string::npos && head_end != got.npos && length != got.npos) {
            expected = head_end + 4 + std::stoul(got.substr(length + 16));
        }
    }
    ERR_clear_error();
    return got;
}

}  // namespace primacy::tests
