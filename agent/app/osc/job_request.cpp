#include "agent/app/osc/job_request.hpp"

#include "agent/app/config/nearest_name.hpp"
#include "agent/app/config/section_reader.hpp"
#include "agent/rt/file.hpp"
#include "osc/alter.hpp"
#include "osc/plan.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace primacy::app {

namespace {

constexpr std::size_t largest_file = 256 * 1024;

std::string flag_name(std::string_view key) {
    std::string made = "--";
    for (char c : key)
        made += c == '_' ? '-' : c;
    return made;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t made = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), made);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return made;
}

// What a flag says, as the file would have it.
document_value value_of_flag(const key_description& key, const std::vector<std::string>& words) {
    auto text_value = [](const std::string& text) {
        document_value made;
        made.kind = value_kind::text;
        made.text = text;
        return made;
    };
    if (key.type == value_type::text_list) {
        document_value made;
        made.kind = value_kind::list;
        for (const auto& word : words)
            made.items.push_back(text_value(word));
        return made;
    }
    document_value made = text_value(words.empty() ? "" : words.back());
    if (key.type == value_type::flag) {
        made.kind = value_kind::boolean;
        made.flag = true;
    } else if (auto number = whole_number(made.text); number && key.type == value_type::number) {
        made.kind = value_kind::integer;
        made.integer = *number;
    }
    return made;
}

// The settings of both sources, and where to complain about each.
class sources {
public:
    sources(const config& settings, const job_flags& flags, const std::string& file,
            std::optional<std::string_view> text)
        : settings_(settings), flags_(flags), file_(file) {
        if (text) read_file(*text);
        for (const key_description* key : keys_of(section::job))
            read_key(*key);
        take_problems();
    }

    const setting& operator[](std::string_view key) const { return values_.find(key)->second; }
    bool given(std::string_view key) const { return (*this)[key].written && (*this)[key].good; }

    // About a value, or about one item of it.
    void complain(std::string_view key, const std::string& sentence,
                  std::optional<std::size_t> item = std::nullopt) {
        if (flags_.contains(std::string(key))) {
            complaints_.push_back(flag_name(key) + ": " + sentence);
            return;
        }
        const setting& value = (*this)[key];
        file_position at = value.at;
        if (item && *item < value.list_positions.size()) at = value.list_positions[*item];
        into_.found.problem(at, "job." + std::string(key), sentence);
        take_problems();
    }
    void complain_missing(std::string_view key, const std::string& sentence) {
        complaints_.push_back(flag_name(key) + ": " + sentence);
    }

    const config& settings() const { return settings_; }
    // Nothing in the file could be read, so that nothing in it is missing either.
    bool hopeless() const { return document_.problem.has_value(); }
    std::vector<std::string> take() { return std::move(complaints_); }

private:
    void read_file(std::string_view text) {
        document_ = parse_document(text);
        if (document_.problem) {
            complaints_.push_back(to_text(file_, *document_.problem));
            return;
        }
        const section_values top =
            read_section(into_, &document_.root, {section::job_file}, "", {1, 1});
        if (const document_value* table = top["job"].value)
            in_file_ = read_section(into_, table, {section::job}, "job", table->at);
    }

    void read_key(const key_description& key) {
        auto flag = flags_.find(std::string(key.key));
        if (flag == flags_.end()) {
            values_.emplace(key.key, in_file_ ? (*in_file_)[key.key] : default_of(key, "/"));
            return;
        }
        checked_value checked = check_value(key, value_of_flag(key, flag->second), "/");
        checked.result.value = nullptr;
        if (!checked.complaint.empty()) {
            checked.result.good = false;
            complaints_.push_back(flag_name(key.key) + ": " + checked.complaint);
        }
        values_.emplace(key.key, std::move(checked.result));
    }

    void take_problems() {
        for (const auto& problem : into_.found.take_problems())
            complaints_.push_back(to_text(file_, problem));
    }

    const config& settings_;
    const job_flags& flags_;
    const std::string& file_;
    document document_;
    reading into_{"/", false, {}};
    std::optional<section_values> in_file_;
    std::map<std::string_view, setting> values_;
    std::vector<std::string> complaints_;
};

void choose_topology(sources& from, osc::job_spec& spec) {
    const auto& all = from.settings().topologies;
    std::vector<std::string_view> names;
    std::string listed;
    for (const auto& each : all) {
        names.push_back(each.name);
        listed += (listed.empty() ? "" : ", ") + each.name;
    }
    spec.topology = from["topology"].text;
    if (!from.given("topology")) {
        if (all.size() == 1)
            spec.topology = all.front().name;
        else if (from["topology"].good)
            from.complain_missing("topology", "say which topology: " + listed);
        return;
    }
    if (std::find(names.begin(), names.end(), spec.topology) != names.end()) return;
    std::string meant = did_you_mean(spec.topology, names);
    if (meant.empty()) meant = "; there is " + listed;
    from.complain("topology", "there is no topology " + in_quotes(spec.topology) + meant);
}

void read_table_and_alter(sources& from, osc::job_spec& spec) {
    if (from.given("table")) {
        auto parsed = osc::parse_table_name(from["table"].text);
        if (parsed.name)
            spec.table = *parsed.name;
        else
            from.complain("table", parsed.problem);
    } else if (from["table"].good) {
        from.complain_missing("table", "say which table: DATABASE.TABLE");
    }
    spec.alter = from["alter"].text;
    if (!from.given("alter") && from["alter"].good)
        from.complain_missing("alter", "say what to change, as in \"ADD COLUMN note TEXT\"");
}

void read_lists(sources& from, osc::job_spec& spec) {
    const auto& codes = osc::codes_to_allow();
    const auto& allowed = from["allow"].list;
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        if (std::find(codes.begin(), codes.end(), allowed[i]) != codes.end()) {
            spec.allow.push_back(allowed[i]);
            continue;
        }
        std::string meant = did_you_mean(allowed[i], codes);
        if (meant.empty()) {
            for (auto code : codes)
                meant += (meant.empty() ? "; known are " : ", ") + std::string(code);
        }
        from.complain("allow", "no refusal has the code " + in_quotes(allowed[i]) + meant, i);
    }
    const auto& limits = from["max_load"].list;
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (auto limit = parse_load_limit(limits[i]))
            spec.max_load.push_back(*limit);
        else
            from.complain("max_load",
                          "expected a status variable and its limit, as \"Threads_running=25\", "
                          "got " +
                              in_quotes(limits[i]),
                          i);
    }
}

// The enumerators stand in the order of the key's words.
void read_choices(sources& from, osc::job_spec& spec) {
    static constexpr std::optional<osc::tool> tools[] = {std::nullopt, osc::tool::native,
                                                         osc::tool::gh_ost, osc::tool::pt_osc};
    spec.wanted = tools[from["tool"].number];
    spec.cut_over =
        from["cut_over"].number == 1 ? osc::cut_over_by::person : osc::cut_over_by::itself;
    if (from.given("window")) {
        spec.window = parse_window(from["window"].text);
        if (!spec.window)
            from.complain("window", "expected two times of day (UTC) as \"02:00-04:00\", got " +
                                        in_quotes(from["window"].text));
    }
    spec.max_lag = from["max_lag"].duration();
    spec.chunk_rows = static_cast<std::uint32_t>(from["chunk_rows"].number);
    if (from["lock_wait"].number % 1000 != 0) from.complain("lock_wait", "expected whole seconds");
    spec.lock_wait = std::chrono::duration_cast<std::chrono::seconds>(from["lock_wait"].duration());
    spec.attempts = static_cast<int>(from["attempts"].number);
}

void read_trial(sources& from, osc::job_spec& spec) {
    if (from["dry_run_tool"].number != 0) spec.attempt = osc::trial::dry_run;
    if (!from.given("test_on_replica")) return;
    if (spec.attempt == osc::trial::dry_run)
        from.complain("test_on_replica", "a job is either a dry run or a test on a replica");
    spec.attempt = osc::trial::test_on_replica;
    spec.test_replica = from["test_on_replica"].text;
    for (const auto& topology : from.settings().topologies) {
        if (topology.name != spec.topology) continue;
        std::vector<std::string_view> names;
        for (const auto& server : topology.servers)
            names.push_back(server.name);
        if (std::find(names.begin(), names.end(), spec.test_replica) != names.end()) return;
        from.complain("test_on_replica", "there is no server " + in_quotes(spec.test_replica) +
                                             " in " + spec.topology +
                                             did_you_mean(spec.test_replica, names));
    }
}

}  // namespace

std::optional<osc::daily_window> parse_window(std::string_view text) {
    auto time_of = [](std::string_view part) -> std::optional<std::chrono::minutes> {
        if (part.size() != 5 || part[2] != ':') return std::nullopt;
        const auto hours = whole_number(part.substr(0, 2)), minutes = whole_number(part.substr(3));
        const bool digits = part.find_first_not_of("0123456789:") == std::string_view::npos;
        if (!digits || !hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
        return std::chrono::minutes(*hours * 60 + *minutes);
    };
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto begin = time_of(text.substr(0, dash)), end = time_of(text.substr(dash + 1));
    if (!begin || !end) return std::nullopt;
    return osc::daily_window{*begin, *end};
}

std::optional<osc::load_limit> parse_load_limit(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) return std::nullopt;
    const auto name = text.substr(0, equals);
    const bool word = std::all_of(name.begin(), name.end(),
                                  [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
    const auto most = whole_number(text.substr(equals + 1));
    if (!word || !most || *most < 0) return std::nullopt;
    return osc::load_limit{std::string(name), static_cast<std::uint64_t>(*most)};
}

job_request read_job_request(const config& settings, const job_flags& flags,
                             const std::string& file, std::optional<std::string_view> file_text) {
    job_request made;
    sources from(settings, flags, file, file_text);
    if (from.hopeless()) {
        made.complaints = from.take();
        return made;
    }
    choose_topology(from, made.spec);
    read_table_and_alter(from, made.spec);
    read_lists(from, made.spec);
    read_choices(from, made.spec);
    read_trial(from, made.spec);
    made.complaints = from.take();
    return made;
}

job_request load_job_request(const config& settings, const job_flags& flags,
                             const std::string& file) {
    auto text = rt::read_file(file, largest_file);
    if (text) return read_job_request(settings, flags, file, *text);
    job_request made;
    made.complaints.push_back(text.error().code == rt::errc::limit
                                  ? file + ": is larger than 256 KiB; that is no job"
                                  : file + ": cannot be read: " +
                                        (text.error().native
                                             ? std::generic_category().message(text.error().native)
                                             : "it is not a regular file"));
    return made;
}

}  // namespace primacy::app
