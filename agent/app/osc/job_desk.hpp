// All schema changes of this agent: takes new ones, keeps each going, answers what they are and
// whether their tools may copy now. What each job does is its keeper's; who goes first is decided
// in osc/queue.hpp.
#pragma once

#include "agent/app/config/config.hpp"
#include "agent/app/osc/job_keeper.hpp"
#include "agent/app/osc/job_view.hpp"
#include "agent/app/osc/plan_request.hpp"
#include "agent/app/watch/snapshot.hpp"
#include "agent/rt/sql/network.hpp"
#include "agent/rt/task_group.hpp"
#include "osc/drivers/writer_questions.hpp"
#include "osc/queue.hpp"

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace primacy::app {

struct job_submission {
    osc::job_spec spec;
    std::string by;      // who asks
    std::string reason;  // why; may be empty
};

class job_desk {
public:
    struct services {
        boost::asio::any_io_executor executor;
        boost::asio::thread_pool* disk = nullptr;
        rt::process_runner* runner = nullptr;
        rt::sql::network* network = nullptr;
        // As it is in force now; it changes with a reload.
        std::function<const config&()> settings;
        // The newest judgement; null before there is one.
        std::function<std::shared_ptr<const topology_snapshot>(const std::string&)> topology;
        std::function<bool(const std::string& topology, const std::string& server)> is_fenced;
        std::function<bool(const std::string& topology)> in_maintenance;
        std::string check_url;  // "http://127.0.0.1:9963/check/"; empty: no tool could ask there
    };

    explicit job_desk(services with);

    // Reads what is on disk; blocking, before the loop runs. Sentences of what cannot be
    // understood.
    std::vector<std::string> open();
    // Keeps all jobs going until it is cancelled; their tools go on then.
    boost::asio::awaitable<void> run();

    // Plans it and takes it if the plan has no refusal. Errors: usage with the plan's refusals.
    boost::asio::awaitable<rt::result<osc::job_record>> submit(job_submission asked);
    rt::result<std::string> take(const std::string& id, job_wish wish, const std::string& by);

    // After a clean-up: what jobs on this table that are over have left is asked again.
    boost::asio::awaitable<void> look_again(std::string topology, osc::table_name table);

    std::vector<osc::job_record> jobs() const;  // oldest first
    std::optional<osc::job_record> job(const std::string& id) const;
    // For the metrics: under way, and those that ended within the last day.
    std::vector<job_view> views() const;
    // 404 where there is none, or it is over.
    osc::throttle_answer check(const std::string& id) const;

private:
    // `id`: the job that is planned again, which is not in its own way; empty for a new one.
    boost::asio::awaitable<rt::result<osc::plan>> plan(osc::job_spec spec, std::string id);
    // What the servers say of the job's table and of what its tool left.
    boost::asio::awaitable<rt::result<osc::database_view>> inspect(osc::job_record job);
    ask_for_jobs jobs_before(const std::string& id) const;
    jobs_in_the_way jobs_in_the_way_of(const osc::job_spec& spec, const std::string& id) const;
    void keep(osc::job_record job);
    void amend(const osc::job_record& job);  // one that is over
    job_keeper::services services_of(const osc::job_record& job);
    const topology_config* topology_of(const osc::job_record& job) const;
    osc::topology_view topology_view_of(const osc::job_record& job) const;
    osc::throttle_input throttle_input_of(const osc::job_record& job) const;
    std::vector<osc::queued_job> queue() const;
    boost::asio::awaitable<std::vector<osc::throttle_load>> loads_of(osc::job_record job);
    boost::asio::awaitable<std::string> long_transaction_of(osc::job_record job);
    osc::writer_questions* questions_to_writer_of(const osc::job_record& job);
    std::unique_ptr<osc::tool_driver> make_driver(const osc::job_record& job,
                                                  const osc::plan* made) const;
    std::string new_id(const osc::job_spec& spec);

    services with_;
    job_store store_;
    std::map<std::string, std::unique_ptr<job_keeper>> keepers_;  // by id
    std::vector<std::string> order_;                              // of the keepers, oldest first
    // By topology and server: one connection, whoever asks.
    std::map<std::pair<std::string, std::string>, std::unique_ptr<osc::writer_questions>>
        questions_;
    std::vector<osc::job_record> over_;  // of earlier runs
    rt::task_group tasks_;
    std::minstd_rand random_;
};

}  // namespace primacy::app
