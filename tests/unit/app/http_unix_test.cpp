// The control socket: its file, its permissions, and the command line's client.
#include "agent/app/http/client.hpp"
#include "tests/support/poll_until.hpp"
#include "tests/support/run_to_end.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/http_support.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace primacy;
using namespace primacy::tests;
using namespace std::chrono_literals;
using app::http::get_unix;

namespace {

rt::result<app::http::response> ask(const std::string& path, const std::string& target,
                                    std::chrono::milliseconds wait = 15s,
                                    std::size_t largest = 64 * 1024 * 1024) {
    boost::asio::io_context context;
    return run_to_end(context, get_unix(path, target, rt::deadline::after(wait), largest));
}

std::string listen_refusal(const std::string& path) {
    boost::asio::io_context context;
    auto made = app::http::server::listen_unix(context.get_executor(), path, {}, {});
    return made.has_error() ? made.error().message : "";
}

// A socket that listens and is never served.
rt::descriptor silent_socket(const std::string& path, int queue = 8) {
    rt::descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un own{};
    own.sun_family = AF_UNIX;
    std::memcpy(own.sun_path, path.data(), path.size());
    REQUIRE(::bind(made.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    REQUIRE(::listen(made.get(), queue) == 0);
    return made;
}

struct stat status_of(const std::string& path) {
    struct stat found {};
    ::lstat(path.c_str(), &found);
    return found;
}

}  // namespace

TEST_CASE("requests over the unix socket, and who asks") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    running_server::options chosen;
    chosen.allow_post = true;
    running_server server(path, chosen);
    CHECK(server.address() == path);
    client ann(path);
    const std::string me = "uid " + std::to_string(::getuid());
    CHECK(ann.get("/echo?q").body == "GET|/echo|q|" + me + "||\n");
    REQUIRE(ann.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
    CHECK(ann.read_reply().body == "POST|/echo||" + me + "||hi\n");
}

TEST_CASE("the socket file is 0660 whatever the umask, and gone at the end") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    for (const mode_t mask : {mode_t{0}, mode_t{0077}}) {
        const mode_t former = ::umask(mask);
        running_server server(path);
        ::umask(former);
        CHECK((status_of(path).st_mode & 07777) == 0660);
        server.stop(0ms);
        CHECK(server.ended());
        CHECK_FALSE(std::filesystem::exists(path));
    }
}

TEST_CASE("the socket file belongs to the group when there is one and we may") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    running_server::options chosen;
    chosen.socket_group = "nogroup";
    const ::group* entry = ::getgrnam("nogroup");
    if (entry == nullptr || ::geteuid() != 0) {
        MESSAGE("SKIP: only root can give a file to a group it is not in");
        return;
    }
    running_server server(path, chosen);
    CHECK(status_of(path).st_gid == entry->gr_gid);
    CHECK((status_of(path).st_mode & 07777) == 0660);
    const std::string other = directory / "other.sock";
    chosen.socket_group = "no-such-group-anywhere";
    running_server without(other, chosen);
    CHECK(status_of(other).st_gid == ::getegid());
}

TEST_CASE("a dead agent's socket file is replaced") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    { const rt::descriptor dead = silent_socket(path); }
    REQUIRE(std::filesystem::exists(path));
    running_server server(path);
    CHECK(ask(path, "/").value().status == 200);
}

TEST_CASE("a live agent's socket file is left alone") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    running_server server(path);
    CHECK(listen_refusal(path) ==
          "cannot listen on " + path + ": another process listens there already");
    CHECK(ask(path, "/").value().status == 200);
    // Alive but stuck, with a full queue, is alive.
    const std::string stuck = directory / "stuck.sock";
    const rt::descriptor listening = silent_socket(stuck, 0);
    const client first(stuck);
    CHECK(listen_refusal(stuck).find("another process listens") != std::string::npos);
    CHECK(listen_refusal(stuck).find("another process listens") != std::string::npos);
    CHECK(std::filesystem::exists(stuck));
}

TEST_CASE("what cannot be a socket is refused in a sentence and left alone") {
    const temporary_directory directory;
    const std::string file = directory / "file";
    std::ofstream(file) << "precious";
    CHECK(listen_refusal(file) == "cannot listen on " + file + ": it exists and is not a socket");
    CHECK(std::filesystem::file_size(file) == 8);
    CHECK(listen_refusal(directory / "no" / "control.sock").find("No such file") !=
          std::string::npos);
    CHECK(listen_refusal(directory / std::string(120, 'x')).find("1 to 107 bytes") !=
          std::string::npos);
    CHECK(listen_refusal("").find("1 to 107 bytes") != std::string::npos);
}

TEST_CASE("a file that is no longer ours is not removed at the end") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    running_server server(path);
    std::filesystem::rename(path, directory / "moved");  // keeps its inode in use
    const rt::descriptor successor = silent_socket(path);
    server.stop(0ms);
    CHECK(server.ended());
    CHECK(std::filesystem::exists(path));
}

TEST_CASE("the client gets answers of any size and status") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    running_server server(path);
    CHECK(*ask(path, "/").value().body == "hello\n");
    CHECK(ask(path, "/nothing").value().status == 404);
    CHECK(ask(path, "/large").value().body->size() == 4 * 1024 * 1024);
}

TEST_CASE("the client's failures have a class and a sentence") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    const auto failure = [&](const std::string& where, const std::string& target = "/",
                             std::chrono::milliseconds wait = 15s, std::size_t largest = 1024) {
        const auto got = ask(where, target, wait, largest);
        REQUIRE(got.has_error());
        return got.error();
    };
    CHECK(failure(path).code == rt::errc::refused);
    CHECK(failure(path).native == ENOENT);
    CHECK(failure(path).message.find("is the agent running?") != std::string::npos);
    CHECK(failure("").code == rt::errc::usage);
    CHECK(failure(path, "no slash").code == rt::errc::usage);
    CHECK(failure(path, "/a b").code == rt::errc::usage);
    CHECK(failure(path, "/a\r\nX: y").code == rt::errc::usage);
    {
        const rt::descriptor dead = silent_socket(path);
        CHECK(failure(path, "/", 30ms).code == rt::errc::timeout);
    }
    CHECK(failure(path).code == rt::errc::refused);
    CHECK(failure(path).native == ECONNREFUSED);
    running_server server(path);
    CHECK(failure(path, "/large").code == rt::errc::limit);
    CHECK(failure(path, "/wait", 30ms).code == rt::errc::timeout);
    server.release();
}

TEST_CASE("a peer that closes without an answer, or speaks another language") {
    const temporary_directory directory;
    const std::string path = directory / "control.sock";
    const rt::descriptor listening = silent_socket(path);
    for (const std::string_view bytes :
         {"", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "220 smtp\r\n\r\n"}) {
        boost::asio::io_context context;
        started<rt::result<app::http::response>> asking(
            context, get_unix(path, "/", rt::deadline::after(15s)));
        context.poll();  // connected and asked
        {
            const rt::descriptor peer(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
            REQUIRE(peer);
            std::string question(4096, '\0');
            CHECK(::recv(peer.get(), question.data(), question.size(), 0) > 0);
            ::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        }
        const auto got = asking.wait();
        REQUIRE(got.has_error());
        CHECK(got.error().code == (bytes.starts_with("220") ? rt::errc::protocol : rt::errc::lost));
    }
}
