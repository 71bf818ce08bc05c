// How the tools are started, and what never stands in an argument.
#include "osc/commands.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace primacy::osc;
using primacy::checks::flavor;

namespace {

job_record job_on(const table_name& table, const std::string& alter) {
    job_record made;
    made.id = "orders-1";
    made.spec.table = table;
    made.spec.alter = alter;
    made.replica_server_id = 4'000'000'001;
    return made;
}

job_record orders_job(const std::string& alter = "ADD COLUMN note TEXT") {
    return job_on({"shop", "orders"}, alter);
}

tool_login login() {
    tool_login made;
    made.host = "10.0.0.1";
    made.port = 3307;
    made.user = "primacy";
    made.password = "s3cr3t-pass";
    return made;
}

tool_facts version(int major, int minor, int patch) {
    tool_facts made;
    made.path = "/usr/bin/the-tool";
    made.version = tool_version{major, minor, patch};
    return made;
}

using arguments = std::vector<std::string>;

bool has(const arguments& argv, const std::string& wanted) {
    return std::find(argv.begin(), argv.end(), wanted) != argv.end();
}

arguments gh_ost(const job_record& job, tool_facts tool = version(1, 1, 10),
                 const tool_login& account = login()) {
    return gh_ost_argv(job, tool, {}, account, job_files("/state/orders-1", "/logs"), "");
}

arguments pt_osc(const job_record& job, const tool_login& account = login()) {
    return pt_osc_argv(job, version(3, 2, 1), account, job_files("/state/orders-1", "/logs"));
}

}  // namespace

TEST_CASE("gh-ost is always postponed, named, and serves a private socket") {
    arguments argv = gh_ost(orders_job());
    CHECK(argv[0] == "/usr/bin/the-tool");
    for (const char* wanted : {"--execute",
                               "--allow-on-master",
                               "--assume-rbr",
                               "--force-named-cut-over",
                               "--force-named-panic",
                               "--timestamp-old-table",
                               "--initially-drop-socket-file",
                               "--database=shop",
                               "--table=orders",
                               "--alter=ADD COLUMN note TEXT",
                               "--host=10.0.0.1",
                               "--port=3307",
                               "--serve-socket-file=/state/orders-1/gh-ost.sock",
                               "--postpone-cut-over-flag-file=/state/orders-1/postpone",
                               "--throttle-flag-file=/state/orders-1/throttle",
                               "--throttle-additional-flag-file=",
                               "--replica-server-id=4000000001",
                               "--conf=/state/orders-1/client.cnf",
                               "--panic-on-warnings",
                               "--skip-metadata-lock-check"})
        CHECK_MESSAGE(has(argv, wanted), wanted);
    for (const auto& each : argv)
        CHECK_MESSAGE(each.find("ok-to-drop") == std::string::npos, each);
}

TEST_CASE("gh-ost is given what its version knows") {
    arguments old = gh_ost(orders_job(), version(1, 1, 7));
    CHECK(!has(old, "--panic-on-warnings"));
    CHECK(!has(old, "--skip-metadata-lock-check"));
    server_side instrumented;
    instrumented.metadata_lock_instrument = true;
    CHECK(!has(gh_ost_argv(orders_job(), version(1, 1, 10), instrumented, login(),
                           job_files("/state", "/logs"), ""),
               "--skip-metadata-lock-check"));
    job_record job = orders_job("CHANGE a b INT");
    CHECK(!has(gh_ost(job), "--approve-renamed-columns"));
    job.spec.allow = {"rename_column", "triggers"};
    CHECK(has(gh_ost(job), "--approve-renamed-columns"));
    CHECK(has(gh_ost(job), "--include-triggers"));
    CHECK(!has(gh_ost(job, version(1, 1, 7)), "--include-triggers"));
    job.spec.attempt = trial::dry_run;
    CHECK(!has(gh_ost(job), "--execute"));
    job.spec.attempt = trial::test_on_replica;
    CHECK(has(gh_ost(job), "--test-on-replica"));
    CHECK(!has(gh_ost(job), "--allow-on-master"));
}

TEST_CASE("gh-ost is kept within the limits that it would silently ignore") {
    job_record job = orders_job();
    job.spec.lock_wait = std::chrono::seconds(30);
    job.spec.max_lag = std::chrono::milliseconds(5);
    job.spec.max_load = {{"Threads_running", 25}, {"Threads_connected", 500}};
    arguments argv = gh_ost(job);
    CHECK(has(argv, "--cut-over-lock-timeout-seconds=10"));
    CHECK(has(argv, "--max-lag-millis=100"));
    CHECK(has(argv, "--max-load=Threads_running=25,Threads_connected=500"));
}

TEST_CASE("pt-online-schema-change keeps the original and waits for leave") {
    arguments argv = pt_osc(orders_job());
    // Seen: without this prefix it finds no table with a name beyond ASCII.
    CHECK(argv[0] == "/usr/bin/env");
    CHECK(argv[1] == "PERL_UNICODE=AEO");
    CHECK(argv[2] == "/usr/bin/the-tool");
    for (const char* wanted :
         {"--execute", "--no-drop-old-table", "--no-version-check", "--recursion-method=none",
          "--charset=utf8", "--defaults-file=/state/orders-1/client.cnf",
          "--plugin=/state/orders-1/plugin.pm", "--tries=swap_tables:10:1"})
        CHECK_MESSAGE(has(argv, wanted), wanted);
    CHECK(argv.back() == "D=shop,t=orders,h=10.0.0.1,P=3307");
    // Seen: "--max-load=" makes it print its help and end.
    auto load = std::find(argv.begin(), argv.end(), "--max-load");
    REQUIRE(load + 1 < argv.end());
    CHECK(*(load + 1) == "");
    CHECK(!has(argv, "--max-load="));
    // Seen: a key with four-byte characters is read back wrong under utf8 alone.
    CHECK(std::any_of(argv.begin(), argv.end(), [](const std::string& each) {
        return each.starts_with("--set-vars=") &&
               each.find("character_set_results=utf8mb4") != std::string::npos &&
               each.find("lock_wait_timeout=3") != std::string::npos;
    }));
    tool_login by_socket = login();
    by_socket.host = "";
    by_socket.socket = "/run/s.sock";
    CHECK(pt_osc(orders_job(), by_socket).back() == "D=shop,t=orders,S=/run/s.sock");
}

TEST_CASE("a dry run of pt-online-schema-change does not wait for a leave that nobody gives") {
    job_record job = orders_job();
    job.spec.attempt = trial::dry_run;
    arguments argv = pt_osc(job);
    CHECK(has(argv, "--dry-run"));
    CHECK(!has(argv, "--execute"));
    CHECK(!has(argv, "--plugin=/state/orders-1/plugin.pm"));
}

TEST_CASE("what a person allows opens the tool's own checks, and the original stays") {
    job_record job = orders_job();
    job.spec.allow = {"foreign_keys", "triggers", "new_unique_key", "rename_column"};
    arguments argv = pt_osc(job);
    CHECK(has(argv, "--alter-foreign-keys-method=rebuild_constraints"));
    CHECK(has(argv, "--preserve-triggers"));
    CHECK(has(argv, "--no-check-unique-key-change"));
    CHECK(has(argv, "--no-check-alter"));
    CHECK(has(argv, "--no-drop-old-table"));
    CHECK(!has(pt_osc(orders_job()), "--no-check-alter"));
    CHECK(has(pt_osc(orders_job("DROP PRIMARY KEY, ADD PRIMARY KEY (a)")), "--no-check-alter"));
}

TEST_CASE("the tool is given the clauses alone, without comments") {
    job_record job = orders_job("ALTER TABLE shop.orders ADD a INT -- x\n, ADD b INT /* y */;");
    CHECK(has(gh_ost(job), "--alter=ADD a INT , ADD b INT"));
    CHECK(has(pt_osc(job), "--alter=ADD a INT , ADD b INT"));
    job.algorithm = native_algorithm::instant;
    CHECK(native_statement(job, flavor::mariadb) ==
          "ALTER TABLE `shop`.`orders` ADD a INT , ADD b INT, ALGORITHM=INSTANT, LOCK=NONE");
    CHECK(native_statement(job, flavor::mysql) ==
          "ALTER TABLE `shop`.`orders` ADD a INT , ADD b INT, ALGORITHM=INSTANT");
    job.spec.table = {"a`b", "c`d"};
    CHECK(native_statement(job, flavor::mysql).starts_with("ALTER TABLE `a``b`.`c``d` ADD"));
}

TEST_CASE("no argument holds the account or its password") {
    job_record job = orders_job();
    for (const arguments& argv : {gh_ost(job), pt_osc(job)})
        for (const auto& each : argv) {
            CHECK(each.find("s3cr3t-pass") == std::string::npos);
            CHECK(each.find("user=") == std::string::npos);
        }
    CHECK(pt_osc_plugin(job_files("/state", "/logs")).find("s3cr3t-pass") == std::string::npos);
}

TEST_CASE("each tool reads the account from a file of its own dialect") {
    tool_login account = login();
    account.password = R"(a"b\c#d;e)";
    // go-ini leaves alone what stands between backquotes.
    CHECK(client_file_of(account, tool::gh_ost).text ==
          "[client]\nuser=`primacy`\npassword=`a\"b\\c#d;e`\n");
    // The client library has escapes.
    CHECK(client_file_of(account, tool::pt_osc).text ==
          "[client]\nuser=\"primacy\"\npassword=\"a\\\"b\\\\c#d;e\"\n");
    for (const char* bad : {"a\nb", "a\rb", "\n[osc]\nmax_load=x"}) {
        account.password = bad;
        for (auto reader : {tool::gh_ost, tool::pt_osc}) {
            CHECK(client_file_of(account, reader).problem != "");
            CHECK(client_file_of(account, reader).text == "");
        }
    }
    account.password = std::string("a\0b", 3);
    CHECK(client_file_of(account, tool::pt_osc).problem != "");
    for (const char* replaced : {"a${HOME}b", "a%(user)s"}) {
        account.password = replaced;
        CHECK(client_file_of(account, tool::gh_ost).problem != "");
        CHECK(client_file_of(account, tool::gh_ost).problem.find(replaced) == std::string::npos);
        CHECK(client_file_of(account, tool::pt_osc).problem == "");
    }
    account = login();
    account.user = "a\nb";
    CHECK(client_file_of(account, tool::gh_ost).problem != "");
}

TEST_CASE("TLS that is required reaches both tools") {
    tool_login account = login();
    account.tls = account.tls_verify = true;
    account.tls_ca = "/etc/ca.pem";
    arguments argv = gh_ost(orders_job(), version(1, 1, 10), account);
    CHECK(has(argv, "--ssl"));
    CHECK(has(argv, "--ssl-ca=/etc/ca.pem"));
    CHECK(!has(argv, "--ssl-allow-insecure"));
    const std::string file = client_file_of(account, tool::pt_osc).text;
    CHECK(file.find("ssl-enforce=1\n") != std::string::npos);
    CHECK(file.find("ssl-verify-server-cert=1\n") != std::string::npos);
    CHECK(file.find("ssl-ca=\"/etc/ca.pem\"\n") != std::string::npos);
    account.tls_verify = false;
    CHECK(has(gh_ost(orders_job(), version(1, 1, 10), account), "--ssl-allow-insecure"));
    CHECK(client_file_of(account, tool::pt_osc).text.find("verify") == std::string::npos);
    CHECK(client_file_of(login(), tool::pt_osc).text.find("ssl") == std::string::npos);
}

TEST_CASE("a path with quotes stays a string of Perl") {
    const std::string plugin = pt_osc_plugin(job_files(R"(/state/it's\x)", "/logs"));
    CHECK(plugin.find(R"('/state/it\'s\\x/permit')") != std::string::npos);
    CHECK(plugin.find("before_swap_tables") != std::string::npos);
    CHECK(plugin.find("die \"told to give up before the swap") != std::string::npos);
}
