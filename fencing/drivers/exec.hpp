// Any program of the operator's. Style json: one JSON object on standard input, the same in
// PRIMACY_* variables. Style mha: the options of an MHA shutdown_script or power_manager.
//
// Done is exit code 0. The rule of what that proves:
//  - with `verify = true` the program promises to look at `action`. After the fence it is run again
//    with "verify": 0 says that the server is stopped (confirmed), 1 that it runs, all else that it
//    cannot tell. check() runs it with "check", which must change nothing.
//  - without it (the default) a done is `unknown`: nothing but the act itself says so. check()
//    then only sees that the program can be run, because it might fence whatever it is told.
//  - MHA's scripts never confirm: their `status` asks whether the script works, not the server.
// A first run that ends with another code is unknown too, unless verify finds the server stopped.
#pragma once

#include "agent/rt/process.hpp"
#include "fencing/drivers/driver.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace primacy::fencing {

enum class exec_style {
    json,  // {"version":1,"action":"fence"|"verify"|"check","topology":…}
    mha    // --command=stop|status --ssh_user= --host= --ip= --port= --pid_file=
};

struct exec_options {
    std::vector<std::string> command;                              // the first is an absolute path
    std::chrono::milliseconds timeout = std::chrono::seconds(30);  // fence and verify together
    exec_style style = exec_style::json;
    bool verify = false;
    std::string ssh_user = "root";  // what MHA's scripts are told
    std::string pid_file;           // the same
};

// The runner outlives the driver, and the driver its coroutines.
std::unique_ptr<driver> make_exec_driver(rt::process_runner& runner, fence_target target,
                                         exec_options options);

}  // namespace primacy::fencing
