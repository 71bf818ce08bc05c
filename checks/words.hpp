// Numbers and lists as a person reads them; shared by all sentences of this folder.
#pragma once

#include "checks/moment.hpp"

#include <string>
#include <vector>

namespace primacy::checks::words {

// "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
std::string seconds(duration length);
// "db1", "db1 and db2", "db1, db2 and db3".
std::string list(const std::vector<std::string>& names);
// "db1, db2" for a finding's subject.
std::string subject(const std::vector<std::string>& names);
// "1 server", "3 servers".
std::string count(std::size_t number, const std::string& noun);

}  // namespace primacy::checks::words
