#include "agent/app/osc/job_store.hpp"

#include "agent/app/osc/job_json.hpp"
#include "agent/rt/file.hpp"
#include "osc/commands.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <unistd.h>

namespace primacy::app {

namespace {

constexpr std::size_t largest_job = 1024 * 1024;
constexpr mode_t only_us = 0700;

}  // namespace

rt::result<void> job_store::save(const osc::job_record& job) const {
    const std::string folder = folder_of(job.id);
    std::error_code failed;
    const bool is_new = !std::filesystem::exists(folder, failed);
    if (auto made = rt::ensure_directory(folder, only_us); !made) return made;
    std::string text = boost::json::serialize(to_json(job)) + "\n";
    auto saved = rt::replace_file(folder + "/job.json", text, rt::durability::durable, 0600);
    if (!saved || !is_new) return saved;
    return rt::sync_directory(folder_);
}

rt::result<void> job_store::forget_password(const std::string& id) const {
    const std::string file = osc::job_files(folder_of(id), "").client_file;
    // And what a write that was cut short may have left.
    for (const auto& each : {file, file + ".new"})
        if (::unlink(each.c_str()) != 0 && errno != ENOENT)
            return rt::from_errno(errno, "remove " + each);
    return {};
}

stored_jobs job_store::load() const {
    stored_jobs made;
    std::error_code failed;
    for (const auto& each : std::filesystem::directory_iterator(folder_, failed)) {
        auto path = each.path() / "job.json";
        if (!std::filesystem::exists(path, failed)) continue;
        auto text = rt::read_file(path, largest_job);
        auto job = text ? job_from(*text) : rt::result<osc::job_record>(text.error());
        if (job)
            made.jobs.push_back(std::move(*job));
        else
            made.troubles.push_back(path.string() + ": " + job.error().message);
    }
    std::sort(made.jobs.begin(), made.jobs.end(), [](const auto& one, const auto& other) {
        return std::tie(one.created_at, one.id) < std::tie(other.created_at, other.id);
    });
    return made;
}

}  // namespace primacy::app
