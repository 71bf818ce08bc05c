#include "osc/drivers/writer_questions.hpp"

#include "agent/rt/sql/network.hpp"
#include "checks/words.hpp"
#include "osc/identifier.hpp"

#include <charconv>

namespace primacy::osc {

namespace asio = boost::asio;

namespace {

std::optional<std::uint64_t> number_of(std::optional<std::string_view> cell) {
    std::uint64_t value = 0;
    if (!cell ||
        std::from_chars(cell->data(), cell->data() + cell->size(), value).ec != std::errc{})
        return std::nullopt;
    return value;
}

}  // namespace

writer_questions::writer_questions(asio::any_io_executor executor, rt::sql::network& network,
                                   rt::sql::endpoint where)
    : where_(std::move(where)), session_(std::move(executor), network) {}

asio::awaitable<rt::result<void>> writer_questions::ask(std::string statement, rt::deadline until) {
    if (!session_.usable()) {
        auto opened = co_await session_.open(where_, until);
        if (!opened) co_return opened.error();
    }
    co_return co_await session_.query(statement, answer_, until);
}

asio::awaitable<std::vector<throttle_load>> writer_questions::loads(std::vector<load_limit> limits,
                                                                    rt::deadline until) {
    std::vector<throttle_load> made;
    if (limits.empty()) co_return made;
    std::string names;
    for (const auto& each : limits) {
        made.push_back({each.variable, std::nullopt, each.most});
        names += (names.empty() ? "" : ", ") + literal(each.variable);
    }
    auto asked = co_await ask("SHOW GLOBAL STATUS WHERE Variable_name IN (" + names + ")", until);
    if (!asked) co_return made;
    for (std::size_t row = 0; row < answer_.row_count(); ++row)
        for (auto& each : made)
            if (answer_.cell(row, 0) == std::string_view(each.variable))
                each.value = number_of(answer_.cell(row, 1));
    co_return made;
}

asio::awaitable<std::string> writer_questions::long_transaction(std::chrono::seconds age,
                                                                rt::deadline until) {
    auto asked = co_await ask(
        "SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS age FROM "
        "information_schema.INNODB_TRX WHERE trx_started < NOW() - INTERVAL " +
            std::to_string(age.count()) +
            " SECOND AND trx_mysql_thread_id <> 0 AND COALESCE(trx_query, '') NOT LIKE "
            "'%gh-ost%' AND COALESCE(trx_query, '') NOT LIKE '%pt-online-schema-change%' "
            "ORDER BY age DESC LIMIT 1",
        until);
    if (!asked || answer_.row_count() == 0) co_return "";
    auto session = number_of(answer_.cell(0, 0)), seconds = number_of(answer_.cell(0, 1));
    co_return "a transaction of session " + std::to_string(session.value_or(0)) + " is open for " +
        checks::words::seconds(std::chrono::seconds(seconds.value_or(0)));
}

}  // namespace primacy::osc
