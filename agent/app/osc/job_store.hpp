// Jobs on disk: one folder each under state_dir/osc, private to us, with what is remembered in
// job.json. Blocking calls, to be made on the disk's thread. Knows nothing of tools.
#pragma once

#include "agent/rt/error.hpp"
#include "osc/job.hpp"

#include <string>
#include <vector>

namespace primacy::app {

struct stored_jobs {
    std::vector<osc::job_record> jobs;  // by the time of their making
    std::vector<std::string> troubles;  // of files that cannot be understood, a sentence each
};

class job_store {
public:
    // `folder`: state_dir/osc.
    explicit job_store(std::string folder) : folder_(std::move(folder)) {}

    std::string folder_of(const std::string& id) const { return folder_ + "/" + id; }
    // Makes the job's folder if need be; on disk before it returns.
    rt::result<void> save(const osc::job_record& job) const;
    stored_jobs load() const;
    // The file by which the job's tool logs in; to be called when the job is over.
    rt::result<void> forget_password(const std::string& id) const;

private:
    std::string folder_;
};

}  // namespace primacy::app
