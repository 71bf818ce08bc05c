#include "agent/app/watch/watch_store.hpp"

#include "agent/rt/file.hpp"
#include "agent/rt/offload.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>

#include <cerrno>

namespace primacy::app {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

namespace {

constexpr int store_version = 1;
constexpr auto proof_interval = 500ms;
constexpr std::size_t largest_file = 4 << 20;

rt::error damaged(const char* file, const std::string& why) {
    return {rt::errc::config, 0,
            std::string(file) + " in state_dir " + why +
                "; move it away to start without a remembered incumbent"};
}

std::string text_of(const json::object& from, const char* key) {
    const auto* found = from.if_contains(key);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

json::object one_topology(const checks::watch_memory& memory) {
    json::object made;
    if (memory.who)
        made["incumbent"] = {{"server", memory.who->server},
                             {"watched", memory.who->watched},
                             {"doubt", memory.who->doubt}};
    json::array formers;
    for (const auto& former : memory.formers)
        formers.push_back({{"server", former.server}, {"successor", former.successor}});
    made["unseen_formers"] = std::move(formers);
    return made;
}

checks::watch_memory read_topology(const json::object& from) {
    checks::watch_memory memory;
    if (const auto* who = from.if_contains("incumbent"); who && who->is_object()) {
        const auto& object = who->as_object();
        const auto* watched = object.if_contains("watched");
        memory.who = checks::incumbent{text_of(object, "server"),
                                       watched && watched->is_bool() && watched->as_bool(),
                                       text_of(object, "doubt")};
        if (memory.who->server.empty()) memory.who.reset();
    }
    if (const auto* formers = from.if_contains("unseen_formers"); formers && formers->is_array())
        for (const auto& each : formers->as_array())
            if (each.is_object())
                memory.formers.push_back(
                    {text_of(each.as_object(), "server"), text_of(each.as_object(), "successor")});
    return memory;
}

// The proof only ever adds certainty, so a proof that cannot be read is no error: it is no proof.
void read_proof(const std::string& proof, const std::string& boot_id, stored_watch& stored) {
    for (auto& [name, memory] : stored.topologies)
        memory.same_boot = false;
    boost::system::error_code failed;
    json::value parsed = json::parse(proof, failed);
    if (failed || !parsed.is_object()) return;
    const auto& root = parsed.as_object();
    if (boot_id.empty() || text_of(root, "boot_id") != boot_id) return;
    for (auto& [name, memory] : stored.topologies)
        memory.same_boot = true;
    const auto* until = root.if_contains("watched_until_boottime_ns");
    if (!until || !until->is_object()) return;
    for (auto& [name, memory] : stored.topologies)
        if (const auto* value = until->as_object().if_contains(name); value && value->is_int64())
            memory.watched_until = checks::moment(std::chrono::nanoseconds(value->as_int64()));
}

}  // namespace

std::string incumbents_text(const stored_watch& stored) {
    json::object topologies;
    for (const auto& [name, memory] : stored.topologies)
        topologies[name] = one_topology(memory);
    json::object root{{"version", store_version}, {"topologies", std::move(topologies)}};
    return json::serialize(root) + "\n";
}

std::string proof_text(const stored_watch& stored, const std::string& boot_id) {
    json::object until;
    for (const auto& [name, memory] : stored.topologies)
        if (memory.watched_until) until[name] = memory.watched_until->time_since_epoch().count();
    json::object root{{"boot_id", boot_id}, {"watched_until_boottime_ns", std::move(until)}};
    return json::serialize(root) + "\n";
}

rt::result<stored_watch> parse_stored(const std::string& incumbents, const std::string& proof,
                                      const std::string& boot_id) {
    constexpr const char* file = "incumbents.json";
    boost::system::error_code failed;
    json::value parsed = json::parse(incumbents, failed);
    if (failed || !parsed.is_object()) return damaged(file, "is not the JSON that was written");
    const auto& root = parsed.as_object();
    const auto* version = root.if_contains("version");
    if (!version || !version->is_int64()) return damaged(file, "has no version");
    if (version->as_int64() != store_version)
        return damaged(file, "is of version " + std::to_string(version->as_int64()) +
                                 ", which this program does not know");
    const auto* topologies = root.if_contains("topologies");
    if (!topologies || !topologies->is_object()) return damaged(file, "names no topologies");
    stored_watch stored;
    for (const auto& [name, value] : topologies->as_object())
        if (value.is_object())
            stored.topologies[std::string(name)] = read_topology(value.as_object());
    read_proof(proof, boot_id, stored);
    return stored;
}

watch_store::watch_store(asio::any_io_executor executor, asio::thread_pool& disk,
                         std::filesystem::path directory,
                         std::function<void(const std::string&)> report)
    : executor_(executor),
      disk_(disk),
      directory_(std::move(directory)),
      report_(std::move(report)),
      changed_(executor) {
    // procfs says that its files are empty; they are read all the same.
    if (auto id = rt::read_file("/proc/sys/kernel/random/boot_id", 128)) boot_id_ = *id;
    while (!boot_id_.empty() && boot_id_.back() == '\n')
        boot_id_.pop_back();
}

rt::result<void> watch_store::load() {
    if (auto made = rt::ensure_directory(directory_, 0750); !made) return made;
    auto names = rt::read_file(directory_ / "incumbents.json", largest_file);
    if (!names)
        return names.error().native == ENOENT ? rt::result<void>()
                                              : rt::result<void>(names.error());
    auto proof = rt::read_file(directory_ / "watch.json", largest_file);
    auto parsed = parse_stored(*names, proof ? *proof : std::string(), boot_id_);
    if (!parsed) return parsed.error();
    stored_ = std::move(*parsed);
    return {};
}

checks::watch_state watch_store::recalled(const std::string& topology) const {
    auto found = stored_.topologies.find(topology);
    return found == stored_.topologies.end() ? checks::watch_state{}
                                             : checks::recall(found->second);
}

bool watch_store::note(const std::string& topology, const checks::watch_memory& now) {
    auto& memory = stored_.topologies[topology];
    bool new_names = memory.who != now.who || memory.formers != now.formers;
    if (new_names) {
        memory.who = now.who;
        memory.formers = now.formers;
        names_changed_ = true;
        changed_.notify();
    }
    if (memory.watched_until != now.watched_until) {
        memory.watched_until = now.watched_until;
        proof_changed_ = true;
    }
    memory.same_boot = true;
    return new_names;
}

void watch_store::keep_only(const std::vector<std::string>& topologies) {
    std::erase_if(stored_.topologies, [&](const auto& entry) {
        return std::find(topologies.begin(), topologies.end(), entry.first) == topologies.end();
    });
    names_changed_ = true;
    changed_.notify();
}

watch_store::file_write watch_store::proof_write() const {
    return {directory_ / "watch.json", proof_text(stored_, boot_id_), rt::durability::cached};
}

watch_store::file_write watch_store::names_write() const {
    return {directory_ / "incumbents.json", incumbents_text(stored_), rt::durability::durable};
}

// A new name goes to disk before its proof: were we killed in between the other way round, the old
// name would come back with a proof that is not its own.
asio::awaitable<void> watch_store::write_what_changed() {
    if (names_changed_) {
        names_changed_ = false;
        writing_names_ = true;
        file_write job = names_write();
        auto written = co_await rt::offload(disk_, std::move(job));
        writing_names_ = false;
        if (!written) names_changed_ = true;  // tried again at the next turn
        if (!written || failing_) report_(written ? std::string() : written.error().message);
        failing_ = !written;
        if (!written) co_return;
    }
    if (!proof_changed_) co_return;
    proof_changed_ = false;
    file_write job = proof_write();
    auto written = co_await rt::offload(disk_, std::move(job));
    if (!written) proof_changed_ = true;
}

asio::awaitable<void> watch_store::saved(rt::deadline until) {
    asio::steady_timer timer(executor_);
    while ((names_changed_ || writing_names_) && !until.passed()) {
        timer.expires_after(1ms);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> watch_store::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        // Named first: g++ 12 spoils a coroutine that awaits in a loop's condition.
        const bool ending = co_await rt::is_cancelled();
        if (ending) break;
        co_await write_what_changed();
        if (!names_changed_ || failing_)
            co_await changed_.wait(rt::deadline::after(proof_interval));
    }
    co_await asio::this_coro::reset_cancellation_state();
    co_await write_what_changed();
}

}  // namespace primacy::app
