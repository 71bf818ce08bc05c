#include "agent/app/osc/job_json.hpp"

#include "agent/app/report/json_parts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace primacy::app {

namespace json = boost::json;
using namespace json_parts;
using checks::wall_time;

namespace {

constexpr std::int64_t format_version = 1;

rt::error not_a_job(const std::string& why) {
    return {rt::errc::config, 0, "a job's file cannot be understood: " + why};
}

json::array limits_json(const std::vector<osc::load_limit>& limits) {
    json::array made;
    for (const auto& each : limits)
        made.push_back(json::object{{"variable", each.variable}, {"most", each.most}});
    return made;
}

std::vector<osc::load_limit> limits_from(const json::object& from) {
    std::vector<osc::load_limit> made;
    const auto* found = from.if_contains("max_load");
    if (found && found->is_array())
        for (const auto& each : found->as_array())
            if (each.is_object())
                made.push_back({text_of(each.as_object(), "variable"),
                                static_cast<std::uint64_t>(number_of(each.as_object(), "most"))});
    return made;
}

constexpr std::pair<osc::trial, std::string_view> trials[] = {
    {osc::trial::none, "none"},
    {osc::trial::dry_run, "dry_run"},
    {osc::trial::test_on_replica, "test_on_replica"}};

template <class Row, class Value>
std::string_view word_of(const Row& rows, Value value) {
    for (const auto& [each, word] : rows)
        if (each == value) return word;
    return "";
}

std::optional<osc::tool> tool_named(std::string_view word) {
    for (auto each : {osc::tool::native, osc::tool::gh_ost, osc::tool::pt_osc})
        if (osc::to_string(each) == word) return each;
    return std::nullopt;
}

osc::native_algorithm algorithm_named(std::string_view word) {
    for (auto each : {osc::native_algorithm::instant, osc::native_algorithm::nocopy,
                      osc::native_algorithm::inplace, osc::native_algorithm::online_copy})
        if (osc::to_string(each) == word) return each;
    return osc::native_algorithm::none;
}

void put_moment(json::object& into, const char* key, wall_time when) {
    if (when != wall_time{}) put_time(into, key, when);
}

json::object progress_json(const osc::job_progress& progress) {
    json::object made{{"rows_copied", progress.copied},
                      {"rows_estimated", progress.estimated},
                      {"copy_done", progress.copy_done}};
    made["ratio"] = progress.ratio ? json::value(*progress.ratio) : json::value();
    made["rows_per_second"] =
        progress.rows_per_second ? json::value(*progress.rows_per_second) : json::value();
    made["eta_seconds"] =
        progress.remaining ? json::value(progress.remaining->count()) : json::value();
    return made;
}

osc::job_progress progress_from(const json::object& from) {
    osc::job_progress made;
    made.copied = static_cast<std::uint64_t>(number_of(from, "rows_copied"));
    made.estimated = static_cast<std::uint64_t>(number_of(from, "rows_estimated"));
    made.copy_done = flag_of(from, "copy_done");
    if (const auto* ratio = from.if_contains("ratio"); ratio && ratio->is_double())
        made.ratio = ratio->as_double();
    return made;
}

}  // namespace

json::object to_json(const osc::job_spec& spec) {
    json::object made{{"topology", spec.topology},
                      {"database", spec.table.database},
                      {"table", spec.table.table},
                      {"alter", spec.alter},
                      {"tool", spec.wanted ? osc::to_string(*spec.wanted) : "auto"},
                      {"trial", word_of(trials, spec.attempt)},
                      {"cut_over", spec.cut_over == osc::cut_over_by::person ? "manual" : "auto"},
                      {"max_lag_ms", spec.max_lag.count()},
                      {"max_load", limits_json(spec.max_load)},
                      {"chunk_rows", spec.chunk_rows},
                      {"lock_wait_seconds", spec.lock_wait.count()},
                      {"attempts", spec.attempts}};
    put_texts(made, "allow", spec.allow);
    put_text(made, "test_replica", spec.test_replica);
    if (spec.window)
        made["window"] = json::object{{"begin_minute", spec.window->begin.count()},
                                      {"end_minute", spec.window->end.count()}};
    return made;
}

rt::result<osc::job_spec> job_spec_from(const json::object& from) {
    osc::job_spec made;
    made.topology = text_of(from, "topology");
    made.table = {text_of(from, "database"), text_of(from, "table")};
    made.alter = text_of(from, "alter");
    if (made.topology.empty() || made.table.database.empty() || made.table.table.empty())
        return not_a_job("it names no topology, database or table");
    const std::string word = text_of(from, "tool");
    made.wanted = tool_named(word);
    if (!made.wanted && word != "auto") return not_a_job("it knows no tool \"" + word + "\"");
    for (const auto& [each, name] : trials)
        if (name == text_of(from, "trial")) made.attempt = each;
    made.cut_over =
        text_of(from, "cut_over") == "manual" ? osc::cut_over_by::person : osc::cut_over_by::itself;
    made.max_lag = std::chrono::milliseconds(number_of(from, "max_lag_ms"));
    made.max_load = limits_from(from);
    made.chunk_rows = static_cast<std::uint32_t>(number_of(from, "chunk_rows"));
    made.lock_wait = std::chrono::seconds(number_of(from, "lock_wait_seconds"));
    made.attempts = static_cast<int>(number_of(from, "attempts"));
    made.allow = texts_of(from, "allow");
    made.test_replica = text_of(from, "test_replica");
    if (from.contains("window")) {
        const auto& window = object_of(from, "window");
        made.window = osc::daily_window{std::chrono::minutes(number_of(window, "begin_minute")),
                                        std::chrono::minutes(number_of(window, "end_minute"))};
    }
    return made;
}

json::object to_json(const osc::job_record& job) {
    json::object made{{"version", format_version},
                      {"id", job.id},
                      {"spec", to_json(job.spec)},
                      {"state", osc::to_string(job.state)},
                      {"held", osc::to_string(job.held)},
                      {"sentence", job.sentence},
                      {"tool", osc::to_string(job.which)},
                      {"algorithm", osc::to_string(job.algorithm)},
                      {"replica_server_id", job.replica_server_id},
                      {"attempts", job.attempts},
                      {"permit", osc::to_string(job.permit)},
                      {"permit_by_person", job.permit_by_person},
                      {"failed_before", job.failed_before},
                      {"progress", progress_json(job.progress)},
                      {"wanted", json::object{{"pause", job.wanted.pause},
                                              {"cut_over", job.wanted.cut_over},
                                              {"abort", job.wanted.abort}}}};
    put_text(made, "asked_by", job.asked_by);
    put_text(made, "reason", job.reason);
    put_text(made, "writer", job.writer);
    put_texts(made, "writers", job.writers);
    put_texts(made, "replicas", job.replicas);
    put_text(made, "stopping_because", job.stopping_because);
    put_texts(made, "left", job.left);
    put_texts(made, "kept", job.kept);
    put_text(made, "definition_before", job.before.definition);
    if (job.before.created_at) put_time(made, "table_created_at", *job.before.created_at);
    put_moment(made, "created_at", job.created_at);
    put_moment(made, "started_at", job.started_at);
    put_moment(made, "ended_at", job.ended_at);
    put_moment(made, "last_activity_at", job.last_activity_at);
    put_moment(made, "step_began_at", job.step_began_at);
    return made;
}

rt::result<osc::job_record> job_from(std::string_view text) {
    boost::system::error_code failed;
    json::value parsed = json::parse(text, failed);
    if (failed || !parsed.is_object()) return not_a_job("it is no JSON object");
    const json::object& from = parsed.as_object();
    if (number_of(from, "version") != format_version)
        return not_a_job("it is of format " + std::to_string(number_of(from, "version")) +
                         ", and this version knows " + std::to_string(format_version));
    auto spec = job_spec_from(object_of(from, "spec"));
    if (!spec) return spec.error();
    auto state = osc::job_state_named(text_of(from, "state"));
    auto which = tool_named(text_of(from, "tool"));
    osc::job_record made;
    made.id = text_of(from, "id");
    if (!state || !which || made.id.empty()) return not_a_job("it has no id, state or tool");
    made.spec = std::move(*spec);
    made.state = *state;
    made.which = *which;
    made.held = osc::hold_cause_named(text_of(from, "held")).value_or(osc::hold_cause::none);
    made.sentence = text_of(from, "sentence");
    made.algorithm = algorithm_named(text_of(from, "algorithm"));
    made.replica_server_id = static_cast<std::uint32_t>(number_of(from, "replica_server_id"));
    made.attempts = static_cast<int>(number_of(from, "attempts"));
    made.permit =
        osc::permit_state_named(text_of(from, "permit")).value_or(osc::permit_state::none);
    made.permit_by_person = flag_of(from, "permit_by_person");
    made.failed_before = static_cast<int>(number_of(from, "failed_before"));
    made.progress = progress_from(object_of(from, "progress"));
    const auto& wanted = object_of(from, "wanted");
    made.wanted = {flag_of(wanted, "pause"), flag_of(wanted, "cut_over"), flag_of(wanted, "abort")};
    made.asked_by = text_of(from, "asked_by");
    made.reason = text_of(from, "reason");
    made.writer = text_of(from, "writer");
    made.writers = texts_of(from, "writers");
    made.replicas = texts_of(from, "replicas");
    made.stopping_because = text_of(from, "stopping_because");
    made.left = texts_of(from, "left");
    made.kept = texts_of(from, "kept");
    made.before.definition = text_of(from, "definition_before");
    made.before.created_at = time_of(from, "table_created_at");
    made.created_at = time_of(from, "created_at").value_or(wall_time{});
    made.started_at = time_of(from, "started_at").value_or(wall_time{});
    made.ended_at = time_of(from, "ended_at").value_or(wall_time{});
    made.last_activity_at = time_of(from, "last_activity_at").value_or(wall_time{});
    made.step_began_at = time_of(from, "step_began_at").value_or(wall_time{});
    return made;
}

json::object shown_json(const osc::job_record& job) {
    json::object made = to_json(job);
    for (const char* inner :
         {"version", "definition_before", "replica_server_id", "failed_before", "step_began_at",
          "step_began_at_ns", "table_created_at", "table_created_at_ns"})
        made.erase(inner);
    made["table"] = osc::readable(job.spec.table);
    made["meaning"] = osc::meaning_of(job.state);
    made["over"] = osc::is_over(job.state);
    return made;
}

json::object to_json(const osc::plan& made) {
    json::array refusals, warnings, considered;
    for (const auto& each : made.refusals)
        refusals.push_back(json::object{
            {"code", each.code}, {"reason", each.reason}, {"may_be_allowed", each.may_be_allowed}});
    for (const auto& each : made.warnings)
        warnings.push_back(json::object{{"code", each.code}, {"reason", each.reason}});
    for (const auto& each : made.considered)
        considered.push_back(json::object{{"tool", osc::to_string(each.which)},
                                          {"usable", each.usable},
                                          {"reason", each.reason}});
    auto optional_number = [](const auto& number) {
        return number ? json::value(*number) : json::value();
    };
    json::value duration;
    if (made.expected.duration) duration = made.expected.duration->count();
    return {{"table", osc::readable(made.spec.table)},
            {"topology", made.spec.topology},
            {"may_run", made.may_run()},
            {"tool", made.chosen ? json::value(osc::to_string(*made.chosen)) : json::value()},
            {"algorithm", osc::to_string(made.algorithm)},
            {"writer", made.writer},
            {"refusals", refusals},
            {"warnings", warnings},
            {"considered", considered},
            {"estimate", json::object{{"rows", optional_number(made.expected.rows)},
                                      {"bytes", optional_number(made.expected.bytes)},
                                      {"seconds", duration},
                                      {"basis", made.expected.basis}}}};
}

}  // namespace primacy::app
