#include "agent/app/commands/commands.hpp"

#include <mysql.h>

#include <csignal>
#include <exception>
#include <iostream>
#include <malloc.h>

int main(int count, char** words) {
    // Handshakes, pages and the disk have threads of their own. An arena of memory for each of them
    // would keep what a storm of reconnections left there, for ever.
    ::mallopt(M_ARENA_MAX, 2);
    std::signal(SIGPIPE, SIG_IGN);  // a peer that goes away is an error value, not our end
    ::mysql_library_init(0, nullptr, nullptr);
    try {
        return primacy::app::run_command_line(count, words);
    } catch (const std::exception& fault) {
        std::cerr << "primacy: internal error: " << fault.what() << "\n";
        return primacy::app::exit_failed;
    }
}
