#include "agent/app/config/explain.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/config_support.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sys/stat.h>

using namespace primacy::app;
using primacy::tests::one_server;
using primacy::tests::temporary_directory;

namespace {

constexpr const char* hash = "$2y$10$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0";

struct directory : temporary_directory {
    std::string write(std::string_view name, std::string_view text, mode_t mode = 0600) const {
        const std::string path = (*this / name).string();
        std::ofstream(path) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }
    // The problems of this text as a file, with "DIR" for the directory.
    std::string problems(std::string_view text) const {
        const std::string path = write("primacy.toml", text);
        std::string all;
        for (const auto& problem : load(path).problems)
            all += (all.empty() ? "" : "\n") + to_text(path, problem);
        return shortened(all);
    }
    std::string shortened(std::string text) const {
        for (std::size_t at = 0; (at = text.find(path().string())) != std::string::npos;)
            text.replace(at, path().string().size(), "DIR");
        return text;
    }
};

std::string with_password(std::string_view file) {
    return "[topology.shop]\npassword_file = \"" + std::string(file) +
           "\"\n[[topology.shop.server]]\nname = \"db1\"\nhost = \"10.0.0.1\"\n";
}

}  // namespace

TEST_CASE("the password is read from its own file, beside the configuration if relative") {
    directory here;
    here.write("shop.password", "correct horse\n", 0640);
    const auto outcome = load(here.write("primacy.toml", with_password("shop.password")));
    REQUIRE(outcome.ok());
    CHECK(outcome.warnings.empty());
    CHECK(outcome.value.topologies.at(0).password == "correct horse");
    CHECK(outcome.value.topologies.at(0).password_file == (here / "shop.password").string());
    CHECK(describe(outcome.value).find("correct") == std::string::npos);
}

TEST_CASE("a password file that is missing, too open or no file is a problem of its key") {
    directory here;
    CHECK(here.problems(with_password("nope")) ==
          "DIR/primacy.toml:2:17: topology.shop.password_file: secret file DIR/nope cannot be "
          "opened: No such file or directory");
    here.write("open", "secret\n", 0644);
    CHECK(here.problems(with_password("open")) ==
          "DIR/primacy.toml:2:17: topology.shop.password_file: secret file DIR/open has mode 0644, "
          "which is wider than 0640; run: chmod 0640 DIR/open");
    CHECK(here.problems(with_password("."))
              .find("topology.shop.password_file: secret file DIR/ is not a regular file") !=
          std::string::npos);
    here.write("empty", "");
    CHECK(here.problems(with_password("empty")).starts_with("DIR/primacy.toml:2:17: "));
    here.write("lines", "one\ntwo\n");
    CHECK(here.problems(with_password("lines")).find("one") ==
          here.problems(with_password("lines")).find("one line of"));
}

TEST_CASE("without looking at files no file matters") {
    const auto outcome = parse(with_password("/nowhere/at/all"), "/etc/x.toml", files::ignore);
    CHECK(outcome.ok());
    CHECK(outcome.value.topologies.at(0).password.empty());
    CHECK_FALSE(parse(with_password("/nowhere/at/all"), "/etc/x.toml").ok());
}

TEST_CASE("the password of a BMC is read like any other") {
    directory here;
    const std::string text = one_server(
        "[method.bmc]\ntype = \"ipmi\"\naddress = \"b\"\nuser = \"f\"\n"
        "password_file = \"bmc.password\"\n");
    const std::string shop = text.substr(0, text.find("password_file")) +
                             text.substr(text.find("[[topology"));  // no password for the servers
    CHECK(here.problems(shop) ==
          "DIR/primacy.toml:9:17: method.bmc.password_file: secret file DIR/bmc.password cannot be "
          "opened: No such file or directory");
    here.write("bmc.password", "power");
    const auto outcome = load(here.write("primacy.toml", shop));
    REQUIRE(outcome.ok());
    CHECK(std::get<ipmi_method>(outcome.value.methods.at(0).how).password == "power");
}

TEST_CASE("certificates and keys must be there, and keys not be open") {
    directory here;
    const std::string text =
        "[topology.shop]\ntls = { mode = \"verify\", ca = \"ca\", cert = \"cert\", key = \"key\" "
        "}\n"
        "[[topology.shop.server]]\nname = \"db1\"\nhost = \"h\"\n";
    here.write("ca", "x", 0644);
    here.write("key", "x", 0604);
    CHECK(here.problems(text) ==
          "DIR/primacy.toml:2:44: topology.shop.tls.cert: DIR/cert cannot be opened: No such file "
          "or directory\n"
          "DIR/primacy.toml:2:58: topology.shop.tls.key: DIR/key has mode 0604, which is wider "
          "than 0640; run: chmod 0640 DIR/key");
    here.write("cert", "x", 0644);
    here.write("key", "x", 0640);
    CHECK(here.problems(text).empty());
}

TEST_CASE("the web section knows which files and users belong together") {
    directory here;
    const std::string servers = "[[topology.t.server]]\nname = \"d\"\nsocket = \"/run/x\"\n";
    auto web = [&](std::string_view keys) {
        return here.problems(servers + "[agent.web]\n" + std::string(keys) + "\n");
    };
    here.write("cert", "x", 0644);
    here.write("key", "x", 0640);
    CHECK(web("cert_file = \"cert\"\nkey_file = \"key\"").empty());
    CHECK(web("cert_file = \"cert\"") ==
          "DIR/primacy.toml:5:13: agent.web: cert_file and key_file belong together; write both or "
          "none");
    CHECK(web("client_ca_file = \"cert\"") ==
          "DIR/primacy.toml:5:18: agent.web.client_ca_file: client certificates need TLS; write "
          "cert_file and key_file too");
    CHECK(web("basic_auth_users = { ann = \"" + std::string(hash) + "\" }").empty());
    CHECK(web("basic_auth_users = { ann = \"secret\" }") ==
          "DIR/primacy.toml:5:28: agent.web.basic_auth_users: expected a bcrypt hash in quotes for "
          "\"ann\"; make one with: htpasswd -nBC 10 ann");
    const std::string shorter(hash, std::string_view(hash).size() - 1);
    CHECK(web("basic_auth_users = { ann = \"" + shorter + "\" }").find(shorter) ==
          std::string::npos);
    CHECK_FALSE(web("basic_auth_users = { ann = \"" + shorter + "\" }").empty());
    CHECK(web("basic_auth_users = { \"a:b\" = \"" + std::string(hash) + "\" }") ==
          "DIR/primacy.toml:5:22: agent.web.basic_auth_users: \"a:b\" cannot be the name of a "
          "user; it must not be empty or hold a colon");
    const auto users = load(here.write("primacy.toml", servers +
                                                           "[agent.web]\nbasic_auth_users = "
                                                           "{ ann = \"" +
                                                           std::string(hash) + "\" }\n"));
    REQUIRE(users.value.agent.web);
    CHECK(users.value.agent.web->basic_auth_users.at("ann") == hash);
}

TEST_CASE("passwords that cross the network in the clear are a warning") {
    const std::string text = "[agent]\nlisten = \":9963\"\nweb = { basic_auth_users = { a = \"" +
                             std::string(hash) + "\" } }\n" + one_server();
    CHECK(primacy::tests::warnings(text) ==
          std::vector<std::string>{"/etc/primacy/primacy.toml:3:28: agent.web.basic_auth_users: "
                                   "passwords cross the network unencrypted; write cert_file and "
                                   "key_file"});
    CHECK(primacy::tests::warnings("[agent]\nweb = { basic_auth_users = { a = \"" +
                                   std::string(hash) + "\" } }\n" + one_server())
              .empty());
}

TEST_CASE("a file that only a fence needs is a warning") {
    directory here;
    const std::string text =
        "[[topology.t.server]]\nname = \"d\"\nsocket = \"/run/x\"\nfence = [\"s\"]\n"
        "[method.s]\ntype = \"ssh\"\nhost = \"h\"\nkey = \"id\"\nknown_hosts = \"hosts\"\n";
    here.write("hosts", "x");
    const auto outcome = load(here.write("primacy.toml", text));
    CHECK(outcome.ok());
    REQUIRE(outcome.warnings.size() == 1);
    CHECK(here.shortened(to_text("f", outcome.warnings[0])) ==
          "f:8:7: method.s.key: DIR/id cannot be opened: No such file or directory");
}

TEST_CASE("a configuration that is no readable file says what to do") {
    directory here;
    auto sentence = [&](std::string_view name) {
        const auto outcome = load((here / name).string());
        REQUIRE(outcome.problems.size() == 1);
        return here.shortened(to_text(outcome.value.path, outcome.problems[0]));
    };
    CHECK(sentence("nope") ==
          "DIR/nope: does not exist; write it, or name another file with --config FILE");
    std::filesystem::create_directory(here / "folder");
    CHECK(sentence("folder") ==
          "DIR/folder: is not a regular file; name the file itself with --config FILE");
    REQUIRE(::mkfifo((here / "fifo").c_str(), 0600) == 0);
    CHECK(sentence("fifo").starts_with("DIR/fifo: is not a regular file"));
    here.write("large", std::string((1 << 20) + 1, '#'));
    CHECK(sentence("large") ==
          "DIR/large: is larger than 1 MiB; that is no configuration of primacy");
    here.write("file", "");
    CHECK(sentence("file/below") == "DIR/file/below: cannot be read: Not a directory");
}

TEST_CASE("a configuration that everyone can write is a warning") {
    directory here;
    const std::string text = "[[topology.t.server]]\nname = \"d\"\nsocket = \"/run/x\"\n";
    const auto outcome = load(here.write("primacy.toml", text, 0666));
    CHECK(outcome.ok());
    REQUIRE(outcome.warnings.size() == 1);
    CHECK(here.shortened(to_text("f", outcome.warnings[0])) ==
          "f: can be written by everyone; run: chmod o-w DIR/primacy.toml");
}
