// Every key of the configuration in one table: where it stands, what it takes, its default and what
// it is for. Reading, checking, suggestions and the reference are made from it, so that they agree.
// Knows nothing of TOML.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace primacy::app {

enum class section {
    file,      // the top level
    agent,     // [agent]
    web,       // [agent.web]
    topology,  // [topology.NAME]
    tls,       // tls = { … } of a topology or a method
    server,    // [[topology.NAME.server]]
    fencing,   // [topology.NAME.fencing]
    lease,     // [topology.NAME.lease]
    method,    // [method.NAME], whatever its type
    ssh,       // … and the keys that belong to each type
    ipmi,
    fence_agent,
    exec,
    haproxy,
    proxysql,
    detach,
    osc,       // [osc]
    job_file,  // the top level of a schema change's file
    job        // [job] in it
};

enum class value_type {
    name,              // letters, digits, "_", "." and "-"; at most 64
    word,              // one of the key's words
    word_list,         // some of the key's words, each once
    text,              // any text that is not empty
    duration,          // "250ms"; bounds in milliseconds
    number,            // a whole number within its bounds
    flag,              // true or false
    path,              // a file or directory; relative to the configuration's directory
    socket_path,       // the same, short enough for the address of a unix socket
    program,           // an absolute path, or a name to be found in PATH
    host,              // a host name or an IP address
    listen,            // "127.0.0.1:9963", ":9963"
    address,           // "10.0.0.9:3306"
    local_or_address,  // the path of a unix socket, or an address
    haproxy_name,      // as HAProxy names a backend or a server
    address_list,      // of "host:port"
    name_list,         // of names, each once
    text_list,         // of texts, each once
    command,           // a program by its absolute path, and its arguments
    option_table,      // names to texts, numbers or booleans
    user_table,        // names to bcrypt hashes
    table,             // a section of its own
    named_tables,      // one section for each name
    table_list         // a list of sections: [[…]]
};

struct value_rules {
    bool required = false;
    bool may_be_empty = false;  // a text or list that says "none"
    std::string_view words{};   // of word and word_list, with " | " between
    std::int64_t lowest = 0;    // of number and duration (milliseconds)
    std::int64_t highest = 0;
};

struct key_description {
    section where = section::file;
    std::string_view key;
    value_type type = value_type::text;
    std::string_view help;            // one line
    std::string_view default_text{};  // lists with commas; empty: none
    value_rules rules{};
};

// Of the configuration, in the order of a reference: section by section.
const std::vector<key_description>& all_keys();

// The keys of one section, in the same order; also of the sections of a job's file.
std::vector<const key_description*> keys_of(section which);

// "a | b" as a list.
std::vector<std::string_view> words_of(const key_description& key);

// The section as it is written: "[agent]", "[[topology.NAME.server]]".
std::string_view heading(section which) noexcept;

}  // namespace primacy::app
