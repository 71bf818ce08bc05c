// Who may ask: names with bcrypt hashes. A hash costs tens of milliseconds, so it is computed on a
// pool thread, and a name that proved itself once is remembered by a keyed digest.
// Knows nothing of connections; the caller turns a verdict into a status.
#pragma once

#include "agent/app/http/options.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace primacy::app::http {

struct credentials {
    std::string name;
    std::string password;
};

// The value of an Authorization field; nothing when it is not well-formed Basic.
std::optional<credentials> parse_basic(std::string_view field);

class basic_auth {
public:
    enum class verdict {
        good,  // the name's own password
        bad,   // anything else; whether the name exists shows neither here nor in the time it takes
        busy,  // too many checks are under way; ask again
    };

    // `pool` must outlive this object and all its checks. Errors: config, naming the user whose
    // hash is not bcrypt or would take too long.
    static rt::result<std::shared_ptr<basic_auth>> make(user_hashes users,
                                                        boost::asio::thread_pool& pool,
                                                        std::size_t checks_at_once);

    // Runs on the caller's executor but for the hashing. `self` keeps the object for that long.
    static boost::asio::awaitable<verdict> check(std::shared_ptr<basic_auth> self,
                                                 credentials given);

    // Checks that wait for the pool come back bad at once. For the end of the program.
    void give_up() { given_up_->store(true); }

    std::size_t hashes_computed() const { return hashes_computed_; }

private:
    using digest = std::array<unsigned char, 32>;

    basic_auth(user_hashes users, boost::asio::thread_pool& pool, std::size_t checks_at_once);
    digest digest_of(const credentials& given, const std::string& hash) const;

    user_hashes users_;
    boost::asio::thread_pool& pool_;
    std::size_t checks_at_once_;
    std::size_t under_way_ = 0;
    std::size_t hashes_computed_ = 0;
    std::array<unsigned char, 32> key_{};
    std::map<std::string, digest, std::less<>> proved_;  // at most one entry per user
    std::shared_ptr<std::atomic<bool>> given_up_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace primacy::app::http
