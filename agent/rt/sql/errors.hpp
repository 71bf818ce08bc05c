// Classes for the error numbers of servers and of the client library; numbers only, never text.
#pragma once

#include "agent/rt/error.hpp"

namespace primacy::rt::sql {

// Class of a server's error number (1000-1999, 3000 and up) or of the client library's (2000-2999).
errc classify(unsigned number) noexcept;

// The error of a number and text of the client library's; `doing` says what failed. Failures to
// connect get the class of the errno, or of the server's number, that the text carries.
error server_error(unsigned number, std::string_view text, const std::string& doing);

}  // namespace primacy::rt::sql
