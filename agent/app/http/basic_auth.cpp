#include "agent/app/http/basic_auth.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cctype>
#include <crypt.h>

namespace primacy::app::http {

namespace asio = boost::asio;

namespace {

// Cost 14 takes about a second; every step doubles it.
constexpr int highest_cost = 14;

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+') return 62;
    return c == '/' ? 63 : -1;
}

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int pads = 0; pads < 2 && text.ends_with('='); ++pads)
        text.remove_suffix(1);
    std::string bytes;
    unsigned window = 0;
    int bits = 0;
    for (char c : text) {
        const int value = base64_value(c);
        if (value < 0) return std::nullopt;
        window = (window << 6 | static_cast<unsigned>(value)) & 0xffffU;
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>(window >> bits & 0xffU);
    }
    return bytes;
}

// The cost written in a bcrypt hash, 0 when the text is none.
int bcrypt_cost(std::string_view hash) {
    const bool form = hash.size() == 60 && (hash.starts_with("$2y$") || hash.starts_with("$2b$")) &&
                      hash[6] == '$' && std::isdigit(static_cast<unsigned char>(hash[4])) != 0 &&
                      std::isdigit(static_cast<unsigned char>(hash[5])) != 0;
    if (!form) return 0;
    const bool letters = std::all_of(hash.begin() + 7, hash.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '.' || c == '/';
    });
    return letters ? (hash[4] - '0') * 10 + (hash[5] - '0') : 0;
}

bool hash_matches(const std::string& password, const std::string& hash) {
    const auto scratch = std::make_unique<crypt_data>();  // 32 KiB, too much for a stack
    const char* made = ::crypt_r(password.c_str(), hash.c_str(), scratch.get());
    if (made == nullptr) return false;
    const std::string_view text(made);
    return text.size() == hash.size() && CRYPTO_memcmp(text.data(), hash.data(), hash.size()) == 0;
}

// What a pool thread needs, by value: it may outlive everything else by one hash.
struct hash_job {
    std::string password;
    std::string hash;
    std::shared_ptr<std::atomic<bool>> given_up;

    bool run() const { return !given_up->load() && hash_matches(password, hash); }
};

// Starts the job on the pool and completes on the waiting coroutine's own executor.
struct start_hash {
    template <class Handler>
    void operator()(Handler handler, asio::thread_pool* pool, hash_job job) const {
        auto home = asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked);
        asio::post(*pool, [job = std::move(job), handler = std::move(handler),
                           home = std::move(home)]() mutable {
            const bool matches = job.run();
            asio::post(home, [handler = std::move(handler), matches]() mutable {
                std::move(handler)(matches);
            });
        });
    }
};

asio::awaitable<bool> hash_on_pool(asio::thread_pool& pool, hash_job job) {
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(
        start_hash(), asio::use_awaitable, &pool, std::move(job));
}

// Counts a check for as long as it is under way, however it ends.
struct counted {
    explicit counted(std::size_t& count) : count_(count) { ++count_; }
    counted(const counted&) = delete;
    ~counted() { --count_; }
    std::size_t& count_;
};

}  // namespace

std::optional<credentials> parse_basic(std::string_view field) {
    constexpr std::string_view scheme = "basic ";
    if (field.size() < scheme.size()) return std::nullopt;
    for (std::size_t i = 0; i < scheme.size(); ++i) {
        if (std::tolower(static_cast<unsigned char>(field[i])) != scheme[i]) return std::nullopt;
    }
    field.remove_prefix(scheme.size());
    while (field.starts_with(' '))
        field.remove_prefix(1);
    const auto text = decode_base64(field);
    if (!text) return std::nullopt;
    const std::size_t colon = text->find(':');
    // crypt() would stop at a NUL and take "secret\0anything" for "secret".
    if (colon == text->npos || text->find('\0') != text->npos) return std::nullopt;
    return credentials{text->substr(0, colon), text->substr(colon + 1)};
}

rt::result<std::shared_ptr<basic_auth>> basic_auth::make(user_hashes users, asio::thread_pool& pool,
                                                         std::size_t checks_at_once) {
    if (users.empty()) return rt::error{rt::errc::config, 0, "basic_auth_users names no user"};
    for (const auto& [name, hash] : users) {
        const int cost = bcrypt_cost(hash);
        if (name.empty() || name.find(':') != name.npos) {
            return rt::error{rt::errc::config, 0,
                             "basic_auth_users: \"" + name +
                                 "\" cannot be a name; it must not be empty or hold a colon"};
        }
        if (cost < 4) {
            return rt::error{rt::errc::config, 0,
                             "basic_auth_users: the value for \"" + name +
                                 "\" is not a bcrypt hash ($2y$ or $2b$); make one with: "
                                 "htpasswd -nBC 10 " +
                                 name};
        }
        if (cost > highest_cost) {
            return rt::error{rt::errc::config, 0,
                             "basic_auth_users: the hash for \"" + name + "\" has cost " +
                                 std::to_string(cost) +
                                 ", and each check would take seconds; use " +
                                 std::to_string(highest_cost) + " at most"};
        }
    }
    std::shared_ptr<basic_auth> made(new basic_auth(std::move(users), pool, checks_at_once));
    if (RAND_bytes(made->key_.data(), static_cast<int>(made->key_.size())) != 1) {
        return rt::error{rt::errc::internal, 0, "no random bytes for the password cache"};
    }
    return made;
}

basic_auth::basic_auth(user_hashes users, asio::thread_pool& pool, std::size_t checks_at_once)
    : users_(std::move(users)), pool_(pool), checks_at_once_(checks_at_once) {}

basic_auth::digest basic_auth::digest_of(const credentials& given, const std::string& hash) const {
    // Neither a name nor a password that gets this far holds a NUL, so no two inputs run together.
    std::string text = given.name + '\0' + hash + '\0' + given.password;
    digest made{};
    HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), made.data(), nullptr);
    OPENSSL_cleanse(text.data(), text.size());
    return made;
}

asio::awaitable<basic_auth::verdict> basic_auth::check(std::shared_ptr<basic_auth> self,
                                                       credentials given) {
    const auto user = self->users_.find(given.name);
    const bool known = user != self->users_.end();
    // A name that does not exist costs the same hash as one that does.
    const std::string& hash = known ? user->second : self->users_.begin()->second;
    const digest print = self->digest_of(given, hash);
    const auto proved = self->proved_.find(given.name);
    if (proved != self->proved_.end() &&
        CRYPTO_memcmp(proved->second.data(), print.data(), print.size()) == 0) {
        co_return verdict::good;
    }
    if (self->under_way_ >= self->checks_at_once_) co_return verdict::busy;
    const counted check(self->under_way_);
    ++self->hashes_computed_;
    hash_job job;
    job.password = given.password;
    job.hash = hash;
    job.given_up = self->given_up_;
    const bool matches = co_await hash_on_pool(self->pool_, std::move(job));
    if (!matches || !known) co_return verdict::bad;
    self->proved_[given.name] = print;
    co_return verdict::good;
}

}  // namespace primacy::app::http
