#include "fencing/drivers/loss_survey.hpp"

#include "fencing/drivers/sql_reader.hpp"

#include <charconv>
#include <utility>

namespace primacy::fencing {

namespace asio = boost::asio;

namespace {

constexpr int lock_wait = 1;
// Of a server that was stopped by its power supply there is nothing to wait for.
constexpr auto patience_with_reading = std::chrono::seconds(5);
// Rows of one question. On MariaDB the server holds up its commits while it answers: a few
// milliseconds for the smaller number.
constexpr std::size_t rows_of_a_writer = 500;
constexpr std::size_t rows_of_a_stopped_one = 5000;
// Rows may carry whole statements.
constexpr rt::sql::answer_limits largest_answer{64 << 20, 10'000};

std::string text_of(const rt::sql::rows& answer, std::size_t row, std::string_view column) {
    const auto found = answer.column(column);
    if (!found) return "";
    return std::string(answer.cell(row, *found).value_or(""));
}

std::optional<binlog_place> place_in(const std::string& text) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    binlog_place made{text.substr(0, colon), 0};
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, made.position);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    return made;
}

// What a server calls a file goes into a statement.
bool is_plain_name(const std::string& name) {
    return !name.empty() && name.find_first_of("'\"\\/") == std::string::npos;
}

std::string folder_of(const std::string& base, const std::string& data) {
    const auto slash = base.rfind('/');
    std::string folder = slash == std::string::npos ? "" : base.substr(0, slash + 1);
    return folder.starts_with('/') ? folder : data + folder;
}

std::string may_not(const std::string& what, const std::string& privilege) {
    return "our account may not " + what + ": GRANT " + privilege + " ON *.* TO it";
}

std::string why_not_shown(const rt::error& failure, checks::flavor kind) {
    if (failure.native != 1227) return failure.message;
    return may_not("look into it",
                   kind == checks::flavor::mysql ? "REPLICATION SLAVE" : "BINLOG MONITOR");
}

std::string end_not_shown(checks::flavor kind) {
    return may_not("see where it ends",
                   kind == checks::flavor::mysql ? "REPLICATION CLIENT" : "BINLOG MONITOR");
}

std::string statement_for(const binlog_question& asked) {
    return "SHOW BINLOG EVENTS IN '" + asked.file + "' FROM " + std::to_string(asked.from) +
           " LIMIT " + std::to_string(asked.rows);
}

std::vector<binlog_event> events_in(const rt::sql::rows& answer) {
    std::vector<binlog_event> events;
    const auto position = answer.column("Pos");
    const auto type = answer.column("Event_type");
    const auto info = answer.column("Info");
    if (!position || !type || !info) return events;
    for (std::size_t row = 0; row < answer.row_count(); ++row) {
        binlog_event event;
        const auto text = answer.cell(row, *position).value_or("");
        std::from_chars(text.data(), text.data() + text.size(), event.position);
        event.type = answer.cell(row, *type).value_or("");
        event.info = answer.cell(row, *info).value_or("");
        events.push_back(event);
    }
    return events;
}

class surveying {
public:
    surveying(asio::any_io_executor executor, rt::sql::network& network, const loss_survey& asked,
              rt::deadline until)
        : asked_(asked),
          until_(until),
          loser_(executor, network, asked.loser_at),
          survivor_(executor, network, asked.survivor_at) {}

    asio::awaitable<loss> run();
    asio::awaitable<rt::result<void>> check();

private:
    asio::awaitable<rt::result<sql_reading>> read(sql_reader& from);
    asio::awaitable<void> find_place(loss& made, const checks::history_comparison& extra,
                                     const sql_reading& at);
    asio::awaitable<rt::result<binlog_home>> find_home(binlog_place end);
    asio::awaitable<void> look(binlog_search& search);

    const loss_survey& asked_;
    rt::deadline until_;
    sql_reader loser_, survivor_;
    rt::sql::rows answer_;
    bool checksums_ = true;
};

asio::awaitable<rt::result<sql_reading>> surveying::read(sql_reader& from) {
    const auto until = rt::deadline::after(patience_with_reading).sooner(until_);
    const auto in = co_await from.greet(lock_wait, until);
    if (!in) co_return in.error();
    co_return co_await from.read(until);
}

asio::awaitable<loss> surveying::run() {
    loss made;
    made.server = asked_.loser;
    made.after_stop = asked_.stopped;
    const auto here = co_await read(loser_);
    if (!here) {
        made.cannot_say = "it cannot be read: " + here.error().message;
        co_return made;
    }
    const auto there = co_await read(survivor_);
    if (!there) {
        made.cannot_say = "the survivor cannot be read: " + there.error().message;
        co_return made;
    }
    survivor_.close();
    const auto extra = checks::beyond(here->facts, there->facts);
    made = loss_from(asked_.loser, extra);
    made.after_stop = asked_.stopped;
    if (extra.decided() && extra.transactions > 0) co_await find_place(made, extra, *here);
    loser_.close();
    co_return made;
}

asio::awaitable<void> surveying::find_place(loss& made, const checks::history_comparison& extra,
                                            const sql_reading& at) {
    const auto end = place_in(at.binlog);
    if (!end) {
        made.remark = place_unknown(end_not_shown(loser_.kind()));
        co_return;
    }
    const auto home = co_await find_home(*end);
    if (!home) {
        made.remark = place_unknown(why_not_shown(home.error(), loser_.kind()));
        co_return;
    }
    // Without checksums MariaDB walks through the file from its start for each answer.
    if (!asked_.stopped && !checksums_ && loser_.kind() == checks::flavor::mariadb) {
        made.end = home->end;
        made.remark = place_unknown(
            "its binary log has no checksums, and a look into it would hold up its commits; it is "
            "told once it is stopped");
        co_return;
    }
    binlog_search search(extra, home->files, home->end,
                         asked_.stopped ? rows_of_a_stopped_one : rows_of_a_writer);
    co_await look(search);
    add_place(made, extra, search.found(), *home);
}

asio::awaitable<rt::result<binlog_home>> surveying::find_home(binlog_place end) {
    binlog_home home;
    home.kind = loser_.kind();
    home.version = loser_.version();
    home.end = std::move(end);
    auto asked = co_await loser_.ask(
        "SELECT @@global.log_bin_basename AS base, @@global.datadir AS data, "
        "@@global.binlog_checksum AS checksum",
        answer_, until_);
    if (!asked) co_return asked.error();
    if (answer_.row_count() == 1) {
        home.folder = folder_of(text_of(answer_, 0, "base"), text_of(answer_, 0, "data"));
        checksums_ = text_of(answer_, 0, "checksum") != "NONE";
    }
    asked = co_await loser_.ask("SHOW BINARY LOGS", answer_, until_);
    if (!asked) co_return asked.error();
    for (std::size_t row = 0; row < answer_.row_count(); ++row) {
        home.files.push_back(text_of(answer_, row, "Log_name"));
        if (!is_plain_name(home.files.back()))
            co_return rt::error{rt::errc::protocol, 0,
                                "it calls a binary log by a name that cannot be used"};
    }
    co_return home;
}

asio::awaitable<void> surveying::look(binlog_search& search) {
    for (;;) {
        const auto question = search.next();
        if (question.what == binlog_step::done) co_return;
        const std::string statement = statement_for(question);
        const auto asked = co_await loser_.ask(statement, answer_, until_, largest_answer);
        if (asked) {
            const auto events = events_in(answer_);
            search.answer(events);
        } else if (asked.error().code == rt::errc::timeout) {
            search.give_up("time ran out in " + question.file);
        } else {
            search.give_up(why_not_shown(asked.error(), loser_.kind()));
        }
    }
}

// The same statements as in a survey, on the beginning of the newest file.
asio::awaitable<rt::result<void>> surveying::check() {
    const auto here = co_await read(loser_);
    if (!here) co_return here.error();
    const auto end = place_in(here->binlog);
    if (!end) co_return rt::error{rt::errc::denied, 0, end_not_shown(loser_.kind())};
    const auto home = co_await find_home(*end);
    if (!home)
        co_return rt::error{home.error().code, 0, why_not_shown(home.error(), loser_.kind())};
    const binlog_question first{binlog_step::head, end->file, 4, 1};
    const std::string statement = statement_for(first);
    const auto asked = co_await loser_.ask(statement, answer_, until_);
    loser_.close();
    if (asked) co_return rt::result<void>();
    co_return rt::error{asked.error().code, 0, why_not_shown(asked.error(), loser_.kind())};
}

}  // namespace

asio::awaitable<rt::result<void>> check_loss_survey(asio::any_io_executor executor,
                                                    rt::sql::network& network,
                                                    rt::sql::endpoint where, rt::deadline until) {
    const loss_survey asked{"", std::move(where), {}, false};
    surveying now(std::move(executor), network, asked, until);
    co_return co_await now.check();
}

asio::awaitable<loss> survey_loss(asio::any_io_executor executor, rt::sql::network& network,
                                  loss_survey asked, rt::deadline until) {
    surveying now(std::move(executor), network, asked, until);
    co_return co_await now.run();
}

}  // namespace primacy::fencing
