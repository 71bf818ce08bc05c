// What the server itself adds to the word of whoever says that it is stopped: a BMC may lie, a
// plug may feed another machine, a pid file may name another server. Pure; knows no device.
#pragma once

#include "fencing/rung_report.hpp"

namespace primacy::fencing {

// `said`: what a rung reported that needs no SQL. `look`: what a look at the server by SQL, begun
// after that, came to (driver::verify). Silence of the server contradicts nothing; an answer does,
// unless it proves that the server takes no writes. The report that counts (S5).
rung_report after_second_look(rung_report said, const rung_report& look);

}  // namespace primacy::fencing
