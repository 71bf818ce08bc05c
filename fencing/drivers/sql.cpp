#include "fencing/drivers/sql.hpp"

#include "fencing/drivers/bounded_driver.hpp"
#include "fencing/drivers/sql_fence.hpp"
#include "fencing/sql_grants.hpp"

#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

class sql_driver final : public bounded_driver {
public:
    sql_driver(asio::any_io_executor executor, rt::sql::network& network, fence_target target,
               sql_fence_options options)
        : bounded_driver(std::nullopt),
          executor_(std::move(executor)),
          network_(network),
          options_(std::move(options)),
          server_(target.server + " (" + options_.where.address() + ")") {}

    std::string_view kind() const noexcept override { return "sql"; }

private:
    // The order only names the fence: the evidence is read on new connections, and so cannot be an
    // answer to an older act.
    asio::awaitable<rung_report> act(fence_order order, rt::deadline until) override {
        sql_fence fence(executor_, network_, server_, options_, order.may_act);
        co_return co_await fence.run(until);
    }

    asio::awaitable<rung_report> observe(fence_order, rt::deadline until) override {
        const auto seen = co_await gather_evidence(executor_, network_, options_, until);
        if (!seen) co_return report_without_evidence(server_, seen.error());
        co_return conclude(server_, *seen).report;
    }

    asio::awaitable<rt::result<void>> ready(rt::deadline until) override;

    asio::any_io_executor executor_;
    rt::sql::network& network_;
    const sql_fence_options options_;
    const std::string server_;
};

asio::awaitable<rt::result<void>> sql_driver::ready(rt::deadline until) {
    sql_reader link(executor_, network_, options_.where);
    const auto in = co_await link.greet(static_cast<int>(options_.lock_wait.count()), until);
    if (!in) co_return in;
    const auto grants = co_await link.read_grants(until);
    if (!grants) co_return grants.error();
    const auto missing =
        missing_fence_grants(link.kind(), link.version(), *grants, grantee_of(*grants));
    if (missing.empty()) co_return rt::result<void>();
    std::string sentence = "our account cannot fence " + server_ + " by SQL; on it:";
    for (const auto& statement : missing)
        sentence += " " + statement;
    co_return rt::error{rt::errc::denied, 0, sentence};
}

}  // namespace

std::unique_ptr<driver> make_sql_driver(asio::any_io_executor executor, rt::sql::network& network,
                                        fence_target target, sql_fence_options options) {
    return std::make_unique<sql_driver>(std::move(executor), network, std::move(target),
                                        std::move(options));
}

}  // namespace primacy::fencing
