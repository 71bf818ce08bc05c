// How the tools are started: argv, and the private files that go with it. No secret is in argv: the
// password is in a file that only we can read. Pure.
#pragma once

#include "osc/job.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace primacy::osc {

// What a tool needs to log in to the writer; the password goes into `client_file` alone.
struct tool_login {
    std::string host;  // empty: by `socket`
    std::uint16_t port = 3306;
    std::string socket;
    std::string user;
    std::string password;
    bool tls = false;         // required; otherwise the tools go without
    bool tls_verify = false;  // and the certificate is checked
    std::string tls_ca, tls_cert, tls_key;
};

// The files of one job: in a folder of its own that only we can read, and what the tool prints
// where a person looks for it.
struct job_files {
    job_files(const std::string& folder, const std::string& log_folder);

    std::string folder;
    std::string client_file;    // [client] user and password, 0600
    std::string socket;         // gh-ost's
    std::string throttle_flag;  // gh-ost: it waits while this exists
    std::string postpone_flag;  // gh-ost: it does not swap while this exists
    std::string plugin;         // of pt-online-schema-change
    std::string ready;          // made by the plugin when it waits for leave to swap
    std::string permit;         // lets it swap
    std::string refusal;        // makes it give up instead
    std::string log_folder;
    std::string output, errors;  // what the tool says, in `log_folder`
};

// "[client]" with user, password and, for pt-online-schema-change, TLS: as this tool reads it (they
// differ). What it cannot carry is a problem, one sentence.
struct client_file_text {
    std::string text;
    std::string problem;
};
client_file_text client_file_of(const tool_login& login, tool reader);

std::vector<std::string> gh_ost_argv(const job_record& job, const tool_facts& tool,
                                     const server_side& writer, const tool_login& login,
                                     const job_files& files, const std::string& check_url);

// Begins with `env`, which tells Perl that its arguments are UTF-8.
std::vector<std::string> pt_osc_argv(const job_record& job, const tool_facts& tool,
                                     const tool_login& login, const job_files& files);
// A plugin that holds the swap back until there is leave. Source: the hooks of
// pt-online-schema-change 3.2.1.
std::string pt_osc_plugin(const job_files& files);

// The statement of a native job.
std::string native_statement(const job_record& job, checks::flavor kind);

}  // namespace primacy::osc
