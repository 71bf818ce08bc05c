#include "checks/server_facts.hpp"

#include <doctest/doctest.h>

using namespace primacy::checks;

TEST_CASE("versions as servers write them") {
    CHECK(parse_version("10.11.19-MariaDB-0+deb12u1-log") == server_version{10, 11, 19});
    CHECK(parse_version("5.5.5-10.11.6-MariaDB") == server_version{10, 11, 6});
    CHECK(parse_version("12.0.2-MariaDB-ubu2404") == server_version{12, 0, 2});
    CHECK(parse_version("8.0.22") == server_version{8, 0, 22});
    CHECK(parse_version("8.4.3-cluster") == server_version{8, 4, 3});
    CHECK(parse_version("5.7.44-48-log") == server_version{5, 7, 44});
    CHECK(parse_version("5.5.5-m3") == server_version{5, 5, 5});
    CHECK(parse_version("9.7") == server_version{9, 7, 0});
    CHECK(parse_version("9") == server_version{9, 0, 0});
    CHECK(server_version{8, 0, 22} < server_version{8, 4, 0});
}

TEST_CASE("a text that is no version is 0.0.0, not a crash") {
    CHECK(parse_version("") == server_version{});
    CHECK(parse_version("MariaDB") == server_version{});
    CHECK(parse_version("-8.0.1") == server_version{});
    CHECK(parse_version("99999999999999.1.2") == server_version{0, 1, 2});
    CHECK(parse_version("8..1") == server_version{8, 0, 0});
    CHECK(parse_version("8.-1.3") == server_version{8, 0, 0});
}

TEST_CASE("read_only is a word: what is not known to be either is unknown") {
    using enum switch_setting::state;
    for (const auto* text : {"0", "OFF", "off", "Off"})
        CHECK(parse_read_only(text).value == off);
    for (const auto* text : {"1", "ON", "on", "NO_LOCK", "NO_LOCK_NO_ADMIN", "no_lock_no_admin"}) {
        CHECK(parse_read_only(text).value == on);
    }
    for (const auto* text : {"", "2", "NO", "YES", "NO_", "OFFF", "O", "TRUE", " 0", "00"}) {
        CHECK(parse_read_only(text).value == unknown);
    }
    CHECK(parse_read_only("No_Lock").text == "No_Lock");
}

TEST_CASE("other switches") {
    using enum switch_setting::state;
    for (const auto* text : {"0", "OFF", "NO", "no"})
        CHECK(parse_switch(text).value == off);
    for (const auto* text : {"1", "ON", "YES", "yes"})
        CHECK(parse_switch(text).value == on);
    for (const auto* text : {"", "NO_LOCK", "2", "FORCED"})
        CHECK(parse_switch(text).value == unknown);
}

TEST_CASE("writable on MariaDB depends on read_only alone") {
    server_facts facts;
    facts.kind = flavor::mariadb;
    CHECK_FALSE(facts.writable().has_value());
    facts.read_only = parse_read_only("OFF");
    CHECK(facts.writable() == true);
    facts.read_only = parse_read_only("NO_LOCK_NO_ADMIN");
    CHECK(facts.writable() == false);
    facts.read_only = parse_read_only("LOCKED");
    CHECK_FALSE(facts.writable().has_value());
}

TEST_CASE("writable on MySQL needs three open gates, and one closed gate decides") {
    server_facts facts;
    facts.kind = flavor::mysql;
    facts.read_only = parse_read_only("0");
    CHECK_FALSE(facts.writable().has_value());  // super_read_only was not read
    facts.super_read_only = parse_switch("0");
    CHECK_FALSE(facts.writable().has_value());  // offline_mode was not read
    facts.offline_mode = parse_switch("0");
    CHECK(facts.writable() == true);

    // ON beside read_only OFF: a SET that still waits, and may give up.
    facts.super_read_only = parse_switch("1");
    CHECK(facts.is_being_closed());
    CHECK_FALSE(facts.writable().has_value());
    facts.read_only = parse_read_only("1");
    CHECK_FALSE(facts.is_being_closed());
    CHECK(facts.writable() == false);
    facts.read_only = parse_read_only("0");
    facts.super_read_only = parse_switch("0");
    facts.offline_mode = parse_switch("1");
    CHECK(facts.writable() == false);
    facts.offline_mode = parse_switch("perhaps");
    CHECK_FALSE(facts.writable().has_value());
    facts.read_only = parse_read_only("1");
    CHECK(facts.writable() == false);  // closed, whatever the unknown one is
    facts.read_only = parse_read_only("?");
    facts.super_read_only.reset();
    facts.offline_mode = parse_switch("0");
    CHECK_FALSE(facts.writable().has_value());
}

TEST_CASE("words for threads and flavours") {
    CHECK(to_string(flavor::mariadb) == "mariadb");
    CHECK(to_string(flavor::mysql) == "mysql");
    CHECK(to_string(io_thread::running) == "running");
    CHECK(to_string(io_thread::connecting) == "connecting");
    CHECK(to_string(io_thread::stopped) == "stopped");
    CHECK(to_string(io_thread::unknown) == "unknown");
    CHECK(to_string(sql_thread::running) == "running");
    CHECK(to_string(sql_thread::stopped) == "stopped");
    CHECK(to_string(sql_thread::unknown) == "unknown");
}
