#include "osc/drivers/table_reader.hpp"

#include "agent/rt/sql/connection.hpp"
#include "agent/rt/sql/network.hpp"
#include "checks/queries/queries.hpp"
#include "osc/drivers/table_statements.hpp"
#include "osc/grants.hpp"

#include <algorithm>
#include <charconv>

namespace primacy::osc {

namespace asio = boost::asio;
namespace queries = checks::queries;
using rt::sql::rows;

namespace {

// Errors of a server: the first two say that there is no such table, the others that we may not
// see.
constexpr int no_such_table = 1146, no_such_database = 1049;
constexpr int table_denied = 1142, database_denied = 1044, column_denied = 1143;
// gh-ost writes ten times a second, and not at all while a person has paused it.
constexpr std::int64_t fresh_heartbeat = 10;

class server_reader {
public:
    server_reader(asio::any_io_executor executor, rt::sql::network& network, reading_order order,
                  rt::deadline until)
        : order_(std::move(order)), until_(until), link_(std::move(executor), network) {
        made_.side.name = order_.server;
        made_.side.is_writer = order_.of_writer;
        made_.side.host = order_.where.host;
        made_.side.port = order_.where.port;
        made_.table.name = order_.table;
    }

    asio::awaitable<server_reading> read() {
        auto begun = co_await begin();
        if (!begun) {
            made_.side.unreadable = begun.error().message;
            co_return std::move(made_);
        }
        co_await read_settings();
        co_await read_lag();
        if (!order_.table.database.empty()) co_await read_all_of_table();
        // Half a reading proves nothing.
        if (!link_.usable()) made_.side.unreadable = lost_because_;
        co_return std::move(made_);
    }

private:
    asio::awaitable<rt::result<void>> ask(std::string statement) {
        auto asked = co_await link_.query(statement, answer_, until_);
        if (!asked) answer_.clear();
        if (!asked && !link_.usable() && lost_because_.empty())
            lost_because_ = asked.error().message;
        co_return asked;
    }

    asio::awaitable<rt::result<void>> begin();
    asio::awaitable<void> read_settings();
    asio::awaitable<void> read_lag();
    asio::awaitable<void> read_all_of_table();
    asio::awaitable<void> read_tables();
    asio::awaitable<void> read_triggers_of(std::string table);
    asio::awaitable<void> read_surroundings();
    asio::awaitable<void> look_for_gh_ost();
    asio::awaitable<void> read_table_in_depth();
    asio::awaitable<void> read_definition();
    asio::awaitable<void> check_syntax();

    bool is_listed(const std::string& name) const {
        return std::any_of(
            made_.objects.begin(), made_.objects.end(),
            [&](const listed_object& each) { return !each.is_trigger && each.name == name; });
    }

    grant_question question() const {
        return {made_.side.kind,
                made_.side.version,
                made_.account,
                order_.table.database,
                made_.side.log_bin,
                made_.settings.trusts_trigger_creators,
                false};
    }

    // What the account may not see, with what mends it.
    std::string hidden(const std::string& what) const {
        std::string remedy;
        for (const auto& each : missing_to_plan(made_.grants, question()))
            remedy += " " + each;
        if (remedy.empty()) remedy = " see the grants of " + made_.account;
        return made_.account + " may not see " + what + " on " + order_.server + ":" + remedy;
    }

    reading_order order_;
    rt::deadline until_;
    rt::sql::connection link_;
    rows answer_;
    server_reading made_;
    std::string lost_because_;
};

asio::awaitable<rt::result<void>> server_reader::begin() {
    auto done = co_await link_.open(order_.where, until_);
    if (!done) co_return done;
    done = co_await ask(std::string(queries::identity_statement));
    if (!done) co_return done;
    auto who = queries::parse_identity(answer_);
    if (!who)
        co_return rt::error{rt::errc::protocol, 0,
                            order_.where.address() + " does not say which version it is"};
    made_.side.kind = who->kind;
    made_.side.version = who->version;
    const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(until_.left());
    for (const auto& each : session_statements(who->kind, who->version, longest)) {
        done = co_await ask(each);
        if (!done) co_return done;
    }
    done = co_await ask("SHOW GRANTS");
    if (!done) co_return done;
    std::vector<std::string> lines;
    for (std::size_t row = 0; row < answer_.row_count(); ++row)
        lines.emplace_back(answer_.cell(row, 0).value_or(""));
    made_.grants = checks::held_grants(lines);
    made_.account = made_.grants.grantee();
    co_return rt::result<void>();
}

asio::awaitable<void> server_reader::read_settings() {
    auto asked = co_await ask(std::string(variables_statement()));
    if (asked)
        made_.settings = read_variables(answer_, made_.side);
    else
        made_.side.unread.push_back("the variables of " + order_.server +
                                    " cannot be read: " + asked.error().message);
    // Both need what few accounts have (SELECT on performance_schema, a plugin and FILE): without
    // it the facts stay unknown.
    if (made_.side.performance_schema == false) {
        made_.side.metadata_lock_instrument = false;
    } else {
        asked = co_await ask(std::string(instrument_statement()));
        if (asked && answer_.row_count() == 1)
            made_.side.metadata_lock_instrument = answer_.cell(0, 0).value_or("") == "YES";
    }
    if (made_.side.kind != checks::flavor::mariadb) co_return;
    asked = co_await ask(std::string(disks_statement()));
    if (asked) made_.side.disk_free_bytes = read_disks(answer_, made_.settings.datadir);
}

asio::awaitable<void> server_reader::read_lag() {
    if (order_.of_writer) co_return;
    const auto statements = queries::statements_for(made_.side.kind, made_.side.version);
    auto asked = co_await ask(std::string(statements.replication));
    if (!asked) co_return;
    checks::server_facts facts;
    facts.kind = made_.side.kind;
    const auto understood = queries::read_replication(answer_, facts);
    if (!understood) co_return;
    for (const auto& channel : facts.channels) {
        if (!channel.lag_seconds) {
            made_.side.lag_seconds.reset();
            co_return;
        }
        made_.side.lag_seconds =
            std::max(*channel.lag_seconds, made_.side.lag_seconds.value_or(0.0));
    }
}

asio::awaitable<void> server_reader::read_all_of_table() {
    co_await read_tables();
    co_await read_surroundings();
    if (!order_.of_writer) co_return;
    co_await read_table_in_depth();
    if (!order_.alter_clauses.empty()) co_await check_syntax();
}

asio::awaitable<void> server_reader::read_tables() {
    const std::string what = "the tables and triggers of " + quoted(order_.table.database);
    const bool all = missing_to_plan(made_.grants, question()).empty();
    if (!all) made_.side.unread.push_back(hidden(what));
    auto asked = co_await ask(objects_statement(order_.table));
    if (!asked) {
        made_.side.unread.push_back(what + " on " + order_.server +
                                    " cannot be read: " + asked.error().message);
        co_return;
    }
    made_.objects = read_objects(answer_, order_.server, order_.table.database);
    read_table(answer_, made_.table);
    // What is hidden from us is not missing.
    made_.side.has_table = made_.table.exists || !all;
    co_await read_triggers_of(order_.table.table);
    // A trigger goes with its table when the tables are swapped, and a copy may be on its way.
    const pt_osc_names percona = pt_osc_names_of(order_.table);
    for (const auto* names : {&percona.copies, &percona.olds})
        for (const auto& name : *names)
            if (is_listed(name)) co_await read_triggers_of(name);
}

asio::awaitable<void> server_reader::read_triggers_of(std::string table) {
    const table_name of{order_.table.database, std::move(table)};
    auto asked = co_await ask(triggers_statement(of));
    if (!asked) {
        made_.side.unread.push_back("the triggers of " + readable(of) + " on " + order_.server +
                                    " cannot be read: " + asked.error().message);
        co_return;
    }
    for (auto& trigger : read_triggers(answer_, order_.server, order_.table.database)) {
        // A tool's own are leftovers, or those of one at work.
        const bool of_tool = is_pt_osc_trigger(trigger.name, order_.table);
        if (!of_tool && of == order_.table) made_.table.triggers.push_back(trigger.name);
        made_.objects.push_back(std::move(trigger));
    }
}

asio::awaitable<void> server_reader::read_surroundings() {
    auto asked = co_await ask(std::string(sessions_statement()));
    if (asked) made_.tools_at_work = read_sessions(answer_, order_.table);
    co_await look_for_gh_ost();
    for (auto& each : made_.tools_at_work)
        each += " on " + order_.server;
}

// Between two statements its sessions show nothing: its lock and its heartbeat do.
asio::awaitable<void> server_reader::look_for_gh_ost() {
    if (!made_.tools_at_work.empty()) co_return;
    const std::string lock = gh_ost_lock_statement(order_.table);
    if (!lock.empty()) {
        auto asked = co_await ask(lock);
        if (asked && answer_.row_count() == 1 && answer_.cell(0, 0)) {
            made_.tools_at_work.push_back("gh-ost (its lock is held by session " +
                                          std::string(*answer_.cell(0, 0)) + ")");
            co_return;
        }
    }
    const std::string changelog = gh_ost_names_of(order_.table.table).changelog;
    if (!is_listed(changelog) || !order_.of_writer) co_return;
    auto asked = co_await ask(heartbeat_statement(order_.table.database, changelog));
    if (!asked || answer_.row_count() != 1) co_return;
    const std::string text(answer_.cell(0, 0).value_or(""));
    std::int64_t age = fresh_heartbeat;
    std::from_chars(text.data(), text.data() + text.size(), age);
    if (age < fresh_heartbeat) made_.tools_at_work.push_back("gh-ost (its heartbeat is fresh)");
}

asio::awaitable<void> server_reader::read_table_in_depth() {
    // Not being in a list may only mean that we may not see it.
    co_await read_definition();
    const bool any = made_.table.exists && made_.table.unread.empty() && !made_.table.is_view;
    if (!any) co_return;
    const auto missing = missing_to_plan(made_.grants, question());
    if (!missing.empty())
        made_.table.unread.push_back(hidden("all that hangs on " + readable(order_.table)));
    auto asked = co_await ask(columns_statement(order_.table));
    if (asked) read_columns(answer_, made_.table);
    if (!asked || made_.table.columns.empty())
        made_.table.unread.push_back(hidden("the columns of " + readable(order_.table)));
    asked = co_await ask(keys_statement(order_.table));
    if (asked)
        read_keys(answer_, made_.table);
    else
        made_.table.unread.push_back(hidden("the keys of " + readable(order_.table)));
    asked = co_await ask(foreign_keys_statement(order_.table, made_.side.kind));
    if (asked)
        read_foreign_keys(answer_, made_.table);
    else if (missing.empty())
        made_.table.unread.push_back("the foreign keys of " + readable(order_.table) +
                                     " cannot be read: " + asked.error().message);
}

asio::awaitable<void> server_reader::read_definition() {
    if (made_.table.is_view) co_return;
    auto asked = co_await ask(create_statement(order_.table));
    if (asked) {
        read_create_statement(answer_, made_.table);
        made_.table.exists = true;
        // What a list leaves out and SHOW CREATE TABLE shows: a view, or a name in other letters.
        if (!made_.table.create_statement) made_.table.is_view = true;
        co_return;
    }
    switch (asked.error().native) {
        case no_such_table:
        case no_such_database: made_.table.exists = false; break;
        case table_denied:
        case database_denied:
        case column_denied: made_.table.unread.push_back(hidden(readable(order_.table))); break;
        default:
            made_.table.unread.push_back("the definition of " + readable(order_.table) +
                                         " cannot be read: " + asked.error().message);
    }
}

asio::awaitable<void> server_reader::check_syntax() {
    auto asked = co_await ask(keep_alter_statement(order_.table, order_.alter_clauses));
    if (asked) asked = co_await ask(std::string(prepare_statement));
    if (asked) {
        std::ignore = co_await ask(std::string(forget_statement));
        co_return;
    }
    if (!link_.usable()) co_return;
    // Without our own words in front: "query 10.0.0.1:3306: ".
    const std::string& said = asked.error().message;
    const std::string ours = "query " + order_.where.address() + ": ";
    made_.syntax_error = said.starts_with(ours) ? said.substr(ours.size()) : said;
}

}  // namespace

asio::awaitable<server_reading> read_server(asio::any_io_executor executor,
                                            rt::sql::network& network, reading_order order,
                                            rt::deadline until) {
    server_reader reader(std::move(executor), network, std::move(order), until);
    server_reading made = co_await reader.read();
    co_return made;
}

}  // namespace primacy::osc
