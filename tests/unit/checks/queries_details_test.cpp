#include "checks/queries/queries.hpp"
#include "tests/unit/checks/captured_rows.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace primacy;
using namespace primacy::checks;
using namespace primacy::checks::queries;

namespace {

using cells = std::vector<std::optional<std::string>>;

rt::sql::rows status(std::initializer_list<std::pair<const char*, const char*>> pairs) {
    std::vector<cells> data;
    for (const auto& [name, value] : pairs)
        data.push_back({name, value});
    return rt::sql::rows::from({"name", "value"}, data);
}

std::optional<bool> boots_writable(std::vector<cells> settings) {
    server_details details;
    REQUIRE(read_detail(detail::boot_settings,
                        rt::sql::rows::from({"name", "value", "source", "persisted"}, settings),
                        details)
                .has_value());
    return details.boots_writable;
}

const std::optional<std::string> null;

}  // namespace

TEST_CASE("status: MariaDB 10.11 outside a cluster, without semi-sync") {
    server_details details;
    REQUIRE(read_detail(detail::status,
                        status({{"RPL_SEMI_SYNC_MASTER_CLIENTS", "0"},
                                {"RPL_SEMI_SYNC_MASTER_STATUS", "OFF"},
                                {"UPTIME", "929"},
                                {"WSREP_CLUSTER_CONF_ID", "18446744073709551615"},
                                {"WSREP_CLUSTER_SIZE", "0"},
                                {"WSREP_CLUSTER_STATE_UUID", ""},
                                {"WSREP_CLUSTER_STATUS", "Disconnected"},
                                {"WSREP_READY", "OFF"},
                                {"RPL_SEMI_SYNC_MASTER_ENABLED", "OFF"},
                                {"WSREP_ON", "OFF"}}),
                        details)
                .has_value());
    CHECK(details.uptime_seconds == 929);
    REQUIRE(details.semisync);
    CHECK_FALSE(details.semisync->source_enabled);
    CHECK_FALSE(details.semisync->source_active);
    REQUIRE(details.galera);
    CHECK_FALSE(details.galera->provider_on);
    CHECK(details.galera->conf_id == -1);
    CHECK_FALSE(details.galera->in_primary_component());
}

TEST_CASE("status: a Galera member") {
    server_details details;
    REQUIRE(
        read_detail(detail::status,
                    status({{"UPTIME", "10"},
                            {"WSREP_CLUSTER_CONF_ID", "7"},
                            {"WSREP_CLUSTER_SIZE", "3"},
                            {"WSREP_CLUSTER_STATE_UUID", "3e11fa47-71ca-11e1-9e33-c80aa9429562"},
                            {"WSREP_CLUSTER_STATUS", "Primary"},
                            {"WSREP_LOCAL_STATE_COMMENT", "Synced"},
                            {"WSREP_READY", "ON"},
                            {"WSREP_ON", "ON"}}),
                    details)
            .has_value());
    REQUIRE(details.galera);
    CHECK(details.galera->in_primary_component());
    CHECK(details.galera->ready);
    CHECK(details.galera->conf_id == 7);
    CHECK(details.galera->cluster_size == 3);
    CHECK(details.galera->cluster_uuid == "3e11fa47-71ca-11e1-9e33-c80aa9429562");
    CHECK(details.galera->state_comment == "Synced");

    // MariaDB 11.8 prints the missing view as a negative number.
    REQUIRE(
        read_detail(detail::status,
                    status({{"UPTIME", "10"}, {"WSREP_CLUSTER_CONF_ID", "-1"}, {"WSREP_ON", "ON"}}),
                    details)
            .has_value());
    CHECK(details.galera->conf_id == -1);
    CHECK(details.galera->cluster_status.empty());
}

TEST_CASE("status: semi-sync in the words of both families") {
    server_details details;
    REQUIRE(read_detail(detail::status,
                        status({{"UPTIME", "1"},
                                {"RPL_SEMI_SYNC_MASTER_CLIENTS", "1"},
                                {"RPL_SEMI_SYNC_MASTER_STATUS", "ON"},
                                {"RPL_SEMI_SYNC_MASTER_ENABLED", "ON"}}),
                        details)
                .has_value());
    REQUIRE(details.semisync);
    CHECK(details.semisync->source_enabled);
    CHECK(details.semisync->source_active);
    CHECK(details.semisync->connected_replicas == 1);

    REQUIRE(read_detail(detail::status,
                        status({{"Rpl_semi_sync_source_clients", "2"},
                                {"Rpl_semi_sync_source_status", "OFF"},
                                {"Uptime", "517"},
                                {"rpl_semi_sync_source_enabled", "ON"}}),
                        details)
                .has_value());
    CHECK(details.semisync->source_enabled);
    CHECK_FALSE(details.semisync->source_active);
    CHECK(details.semisync->connected_replicas == 2);
    CHECK_FALSE(details.galera);

    // MySQL without the plugin: nobody wants semi-sync, and that is known.
    REQUIRE(read_detail(detail::status, status({{"Uptime", "517"}}), details).has_value());
    REQUIRE(details.semisync);
    CHECK_FALSE(details.semisync->source_enabled);
}

TEST_CASE("status: without an uptime it is no status, and nothing is kept") {
    server_details details;
    details.uptime_seconds = 5;
    details.semisync = semisync_facts{};
    const auto failure = read_detail(detail::status, status({{"WSREP_ON", "ON"}}), details);
    REQUIRE(failure.has_error());
    CHECK(failure.error().code == rt::errc::protocol);
    CHECK_FALSE(details.uptime_seconds);
    CHECK_FALSE(details.semisync);
    CHECK_FALSE(details.galera);
    CHECK(read_detail(detail::status, rt::sql::rows{}, details).has_error());
}

TEST_CASE("replicas: a count, unless the sessions of others were hidden") {
    const auto read = [](const cells& row) {
        server_details details;
        details.connected_replicas = 99;
        REQUIRE(read_detail(detail::replicas,
                            rt::sql::rows::from({"replicas", "process_privilege"}, {row}), details)
                    .has_value());
        return details.connected_replicas;
    };
    CHECK(read({"2", "5"}) == 2);
    CHECK(read({"0", "5"}) == 0);
    CHECK_FALSE(read({"1", "0"}));
    CHECK_FALSE(read({"1", null}));
    CHECK_FALSE(read({null, "5"}));
    CHECK_FALSE(read({"-1", "5"}));

    server_details details;
    CHECK(read_detail(detail::replicas, rt::sql::rows::from({"replicas"}, {{"1"}}), details)
              .has_error());
}

TEST_CASE("bypass accounts are written as SQL writes them") {
    server_details details;
    REQUIRE(
        read_detail(detail::bypass_accounts,
                    rt::sql::rows::from(
                        {"account_user", "account_host", "is_role"},
                        {{"root", "localhost", "0"}, {"o'brien", "%", "0"}, {"PUBLIC", "", "1"}}),
                    details)
            .has_value());
    REQUIRE(details.bypass_accounts);
    CHECK(*details.bypass_accounts ==
          std::vector<std::string>{"'root'@'localhost'", "'o''brien'@'%'", "PUBLIC"});

    // MySQL's statement does not speak of roles; an empty answer means that there is nobody.
    REQUIRE(read_detail(detail::bypass_accounts,
                        rt::sql::rows::from({"account_user", "account_host"}, {}), details)
                .has_value());
    REQUIRE(details.bypass_accounts);
    CHECK(details.bypass_accounts->empty());

    CHECK(read_detail(detail::bypass_accounts, rt::sql::rows{}, details).has_error());
    CHECK_FALSE(details.bypass_accounts);
}

TEST_CASE("boot settings: MariaDB") {
    CHECK(boots_writable({{"READ_ONLY", "OFF", "COMPILE-TIME", null}}) == true);
    CHECK(boots_writable({{"READ_ONLY", "ON", "CONFIG", null}}) == false);
    CHECK(boots_writable({{"READ_ONLY", "ON", "COMMAND-LINE", null}}) == false);
    CHECK(boots_writable({{"READ_ONLY", "NO_LOCK_NO_ADMIN", "CONFIG", null}}) == false);
    CHECK(boots_writable({{"READ_ONLY", "OFF", "CONFIG", null}}) == true);
    // Set since: the configuration is out of sight.
    CHECK_FALSE(boots_writable({{"READ_ONLY", "ON", "SQL", null}}));
    CHECK_FALSE(boots_writable({{"READ_ONLY", "ON", "AUTO", null}}));
    CHECK_FALSE(boots_writable({{"READ_ONLY", null, "CONFIG", null}}));
    CHECK_FALSE(boots_writable({{"READ_ONLY", "ON", null, null}}));
    CHECK_FALSE(boots_writable({}));
}

TEST_CASE("boot settings: MySQL, where either variable keeps a fresh server closed") {
    const cells open{"super_read_only", "OFF", "COMPILED", null};
    CHECK(boots_writable({{"read_only", "OFF", "COMMAND_LINE", null}, open}) == true);
    CHECK(boots_writable({{"read_only", "ON", "GLOBAL", null}, open}) == false);
    CHECK_FALSE(boots_writable({{"read_only", "OFF", "DYNAMIC", null}, open}));
    // One that is known to be ON decides, whatever the other one was before it was changed.
    CHECK(boots_writable({{"read_only", "ON", "GLOBAL", null},
                          {"super_read_only", "OFF", "DYNAMIC", null}}) == false);
    // super_read_only was turned on since, and took read_only with it: the default is still OFF.
    CHECK_FALSE(boots_writable(
        {{"read_only", "ON", "COMPILED", null}, {"super_read_only", "ON", "DYNAMIC", null}}));
    // SET PERSIST outlives the restart, whatever the configuration says.
    CHECK(boots_writable({{"read_only", "ON", "COMMAND_LINE", null},
                          {"super_read_only", "ON", "DYNAMIC", "ON"}}) == false);
    CHECK(boots_writable({{"read_only", "ON", "DYNAMIC", "OFF"}, open}) == true);

    server_details details;
    CHECK(read_detail(detail::boot_settings, rt::sql::rows::from({"value"}, {{"ON"}}), details)
              .has_error());
}

TEST_CASE("a detail that failed is forgotten, the others stay") {
    server_details details;
    details.uptime_seconds = 1;
    details.semisync = semisync_facts{};
    details.galera = galera_facts{};
    details.connected_replicas = 2;
    details.bypass_accounts = std::vector<std::string>{};
    details.boots_writable = true;
    forget_detail(detail::replicas, details);
    CHECK_FALSE(details.connected_replicas);
    CHECK(details.uptime_seconds);
    CHECK(details.bypass_accounts);
    forget_detail(detail::bypass_accounts, details);
    CHECK_FALSE(details.bypass_accounts);
    CHECK(details.boots_writable);
    forget_detail(detail::boot_settings, details);
    CHECK_FALSE(details.boots_writable);
    CHECK(details.galera);
    forget_detail(detail::status, details);
    CHECK_FALSE(details.uptime_seconds);
    CHECK_FALSE(details.semisync);
    CHECK_FALSE(details.galera);
}
