// Certificate files to a TLS context for a server, with every refusal as one sentence.
// Knows nothing of connections or of HTTP.
#pragma once

#include "agent/app/http/options.hpp"
#include "agent/rt/error.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace primacy::app::http {

// TLS 1.2 or newer, no session resumption: after a reload nobody gets in on yesterday's word.
// Errors: config (does not fit together), io (cannot be read), each naming the file.
rt::result<std::shared_ptr<boost::asio::ssl::context>> load_tls(const tls_files& files);

}  // namespace primacy::app::http
