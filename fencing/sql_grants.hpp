// Whether an account may fence a server by SQL, from what SHOW GRANTS says. Pure text work.
#pragma once

#include "checks/server_facts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace primacy::fencing {

// What the account lacks, each as the statement that mends it ("GRANT PROCESS ON *.* TO …;"), most
// needed first; empty when it can fence. `grants` are the lines of SHOW GRANTS with the roles that
// are active; `account` is as it stands in a statement ('primacy'@'%').
std::vector<std::string> missing_fence_grants(checks::flavor kind, checks::server_version version,
                                              const std::vector<std::string>& grants,
                                              std::string_view account);

// The account that SHOW GRANTS speaks of, as it stands after TO; empty when there is none.
std::string grantee_of(const std::vector<std::string>& grants);

}  // namespace primacy::fencing
