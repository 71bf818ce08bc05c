#include "osc/commands.hpp"

#include <algorithm>

namespace primacy::osc {

namespace {

// gh-ost reads the file with go-ini, which ends a value at # or ; even inside "…" and takes no
// backslash for an escape, but leaves everything between backquotes alone (seen with 1.1.10).
std::string value_for_gh_ost(const std::string& text) {
    std::string made = "`";
    made += text;
    return made += '`';
}

// The client library, under pt-online-schema-change, knows quotes and escapes.
std::string value_for_library(const std::string& text) {
    std::string made = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') made += '\\';
        made += c;
    }
    return made + '"';
}

// What go-ini and then gh-ost itself replace by something else, whatever the quotes.
std::string why_gh_ost_cannot_read(const std::string& text) {
    for (std::string_view sign : {"${", "%("})
        if (text.find(sign) != std::string::npos)
            return "the account's name or password holds \"" + std::string(sign) +
                   "\", which gh-ost replaces; choose another one";
    return "";
}

void add_library_tls(std::string& text, const tool_login& login) {
    if (!login.tls) return;
    text += "ssl-enforce=1\n";
    if (login.tls_verify) text += "ssl-verify-server-cert=1\n";
    if (!login.tls_ca.empty()) text += "ssl-ca=" + value_for_library(login.tls_ca) + "\n";
    if (!login.tls_cert.empty()) text += "ssl-cert=" + value_for_library(login.tls_cert) + "\n";
    if (!login.tls_key.empty()) text += "ssl-key=" + value_for_library(login.tls_key) + "\n";
}

std::string limits_text(const std::vector<load_limit>& limits) {
    std::string made;
    for (const auto& each : limits)
        made += (made.empty() ? "" : ",") + each.variable + "=" + std::to_string(each.most);
    return made;
}

bool allows(const job_spec& spec, std::string_view code) {
    return std::find(spec.allow.begin(), spec.allow.end(), code) != spec.allow.end();
}

void add_gh_ost_tls(std::vector<std::string>& argv, const tool_login& login) {
    if (!login.tls) return;
    argv.push_back("--ssl");
    if (!login.tls_verify) argv.push_back("--ssl-allow-insecure");
    if (!login.tls_ca.empty()) argv.push_back("--ssl-ca=" + login.tls_ca);
    if (!login.tls_cert.empty()) argv.push_back("--ssl-cert=" + login.tls_cert);
    if (!login.tls_key.empty()) argv.push_back("--ssl-key=" + login.tls_key);
}

void add_gh_ost_trial(std::vector<std::string>& argv, const job_spec& spec) {
    switch (spec.attempt) {
        case trial::none: argv.insert(argv.end(), {"--execute", "--allow-on-master"}); return;
        case trial::dry_run: argv.push_back("--allow-on-master"); return;
        case trial::test_on_replica:
            argv.insert(argv.end(), {"--execute", "--test-on-replica"});
            return;
    }
}

std::string perl_string(std::string_view text) {
    std::string made = "'";
    for (char c : text) {
        if (c == '\'' || c == '\\') made += '\\';
        made += c;
    }
    return made + '\'';
}

}  // namespace

job_files::job_files(const std::string& where, const std::string& logs)
    : folder(where),
      client_file(where + "/client.cnf"),
      socket(where + "/gh-ost.sock"),
      throttle_flag(where + "/throttle"),
      postpone_flag(where + "/postpone"),
      plugin(where + "/plugin.pm"),
      ready(where + "/ready"),
      permit(where + "/permit"),
      refusal(where + "/refusal"),
      log_folder(logs),
      output(logs + "/output.log"),
      errors(logs + "/errors.log") {}

client_file_text client_file_of(const tool_login& login, tool reader) {
    const bool gh_ost = reader == tool::gh_ost;
    for (const std::string* text : {&login.user, &login.password}) {
        if (text->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            return {"",
                    "the account's name or password holds a line end, which the tools cannot be "
                    "given"};
        std::string why = gh_ost ? why_gh_ost_cannot_read(*text) : "";
        if (!why.empty()) return {"", std::move(why)};
    }
    auto value = gh_ost ? value_for_gh_ost : value_for_library;
    std::string text =
        "[client]\nuser=" + value(login.user) + "\npassword=" + value(login.password) + "\n";
    if (!gh_ost) add_library_tls(text, login);
    return {text, ""};
}

std::vector<std::string> gh_ost_argv(const job_record& job, const tool_facts& tool,
                                     const server_side& writer, const tool_login& login,
                                     const job_files& files, const std::string& check_url) {
    const job_spec& spec = job.spec;
    std::vector<std::string> argv = {
        tool.path,
        "--conf=" + files.client_file,
        "--host=" + login.host,
        "--port=" + std::to_string(login.port),
        "--database=" + spec.table.database,
        "--table=" + spec.table.table,
        "--alter=" + parse_alter(spec.alter).clauses_text,
        "--assume-rbr",
        "--exact-rowcount",
        "--chunk-size=" + std::to_string(spec.chunk_rows),
        "--max-lag-millis=" + std::to_string(std::max<std::int64_t>(100, spec.max_lag.count())),
        "--cut-over-lock-timeout-seconds=" +
            std::to_string(std::clamp<std::int64_t>(spec.lock_wait.count(), 1, 10)),
        "--replica-server-id=" + std::to_string(job.replica_server_id),
        "--serve-socket-file=" + files.socket,
        "--initially-drop-socket-file",
        "--throttle-flag-file=" + files.throttle_flag,
        "--throttle-additional-flag-file=",
        "--postpone-cut-over-flag-file=" + files.postpone_flag,
        "--force-named-cut-over",
        "--force-named-panic",
        "--timestamp-old-table"};
    add_gh_ost_trial(argv, spec);
    if (allows(spec, "rename_column")) argv.push_back("--approve-renamed-columns");
    if (!check_url.empty()) argv.push_back("--throttle-http=" + check_url);
    if (!spec.max_load.empty()) argv.push_back("--max-load=" + limits_text(spec.max_load));
    if (tool.version && *tool.version >= tool_version{1, 1, 8}) {
        // Without the instrument gh-ost gives up; it guards a rename that we look at ourselves.
        if (!writer.metadata_lock_instrument.value_or(false))
            argv.push_back("--skip-metadata-lock-check");
        argv.push_back("--panic-on-warnings");
        if (allows(spec, "triggers"))
            argv.insert(argv.end(), {"--include-triggers", "--trigger-suffix=_primacy"});
    }
    add_gh_ost_tls(argv, login);
    return argv;
}

std::vector<std::string> pt_osc_argv(const job_record& job, const tool_facts& tool,
                                     const tool_login& login, const job_files& files) {
    const job_spec& spec = job.spec;
    const std::string wait = std::to_string(std::max<std::int64_t>(1, spec.lock_wait.count()));
    std::string where = login.host.empty() ? "S=" + login.socket
                                           : "h=" + login.host + ",P=" + std::to_string(login.port);
    std::vector<std::string> argv = {
        // Without it Perl takes names and texts beyond ASCII for Latin-1 and finds no such table.
        "/usr/bin/env", "PERL_UNICODE=AEO", tool.path, "--defaults-file=" + files.client_file,
        "--alter=" + parse_alter(spec.alter).clauses_text,
        spec.attempt == trial::none ? "--execute" : "--dry-run", "--no-version-check",
        "--no-drop-old-table",
        // The tool prints beyond ASCII only under the name utf8; what it asks of the server is
        // utf8mb4 (below), or keys with four-byte characters would be read wrong.
        "--charset=utf8",
        // The lag of replicas and the state of the topology are watched by primacy, which stops the
        // tool's process meanwhile.
        "--recursion-method=none", "--chunk-time=0.2",
        "--chunk-size=" + std::to_string(spec.chunk_rows), "--progress=time,1",
        "--set-vars=wait_timeout=604800,innodb_lock_wait_timeout=1,lock_wait_timeout=" + wait +
            ",character_set_client=utf8mb4,character_set_connection=utf8mb4,"
            "character_set_results=utf8mb4",
        "--tries=swap_tables:" + std::to_string(std::max(1, spec.attempts)) + ":1",
        // An empty value has to stand by itself; with "--max-load=" it does not start.
        "--max-load", limits_text(spec.max_load), "--critical-load", ""};
    // A dry run swaps nothing and must not wait for leave to.
    if (spec.attempt == trial::none) argv.push_back("--plugin=" + files.plugin);
    // Not "auto": it may drop the original instead of keeping it.
    if (allows(spec, "foreign_keys"))
        argv.push_back("--alter-foreign-keys-method=rebuild_constraints");
    if (allows(spec, "triggers")) argv.push_back("--preserve-triggers");
    if (allows(spec, "new_unique_key")) argv.push_back("--no-check-unique-key-change");
    // It refuses both until it is told that somebody has looked, as the plan has.
    if (allows(spec, "rename_column") || parse_alter(spec.alter).has(clause_kind::drop_primary))
        argv.push_back("--no-check-alter");
    argv.push_back("D=" + spec.table.database + ",t=" + spec.table.table + "," + where);
    return argv;
}

std::string pt_osc_plugin(const job_files& files) {
    return R"(package pt_online_schema_change_plugin;
use strict;
use warnings FATAL => 'all';

sub new {
    my ($class, %args) = @_;
    return bless { %args }, $class;
}

# Everything is copied. The swap waits here for leave, and the session is kept alive.
sub before_swap_tables {
    my ($self) = @_;
    my ($ready, $permit, $refusal) = ()" +
           perl_string(files.ready) + ", " + perl_string(files.permit) + ", " +
           perl_string(files.refusal) + R"();
    open(my $made, '>', $ready) or die "cannot write $ready: $!";
    close($made);
    my $looks = 0;
    until (-e $permit) {
        die "told to give up before the swap\n" if -e $refusal;
        select(undef, undef, undef, 0.1);
        $self->{cxn}->dbh()->do("SELECT 'pt-online-schema-change keepalive'")
            if ++$looks % 100 == 0;
    }
    unlink($ready);
    return;
}

1;
)";
}

std::string native_statement(const job_record& job, checks::flavor kind) {
    return "ALTER TABLE " + quoted(job.spec.table) + " " +
           parse_alter(job.spec.alter).clauses_text +
           std::string(algorithm_clause(job.algorithm, kind));
}

}  // namespace primacy::osc
