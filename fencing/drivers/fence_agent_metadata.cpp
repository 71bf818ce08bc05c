#include "fencing/drivers/fence_agent_metadata.hpp"

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace primacy::fencing {

namespace {

using tree = boost::property_tree::ptree;

rt::error metadata_not_understood(std::string_view why) {
    return {rt::errc::protocol, 0,
            fmt::format("the agent's answer to action=metadata is not understood: {}", why)};
}

std::string attribute(const tree& element, const char* name) {
    return element.get<std::string>(tree::path_type(std::string("<xmlattr>/") + name, '/'), "");
}

bool flag(const tree& element, const char* name) {
    const std::string value = attribute(element, name);
    return value == "1" || value == "true";
}

agent_parameter parameter_from(const tree& element) {
    agent_parameter made;
    made.name = attribute(element, "name");
    made.required = flag(element, "required");
    made.deprecated = flag(element, "deprecated");
    made.obsoletes = attribute(element, "obsoletes");
    const auto content = element.get_child_optional("content");
    if (!content) return made;
    made.has_default = !attribute(*content, "default").empty();
    for (const auto& [tag, option] : *content)
        if (tag == "option") made.choices.push_back(attribute(option, "value"));
    return made;
}

// Letters to change, add or drop to get from one to the other.
std::size_t distance(std::string_view from, std::string_view to) {
    std::vector<std::size_t> row(to.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= from.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j < row.size(); ++j) {
            const std::size_t changed = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row.back();
}

std::string did_you_mean(const agent_metadata& metadata, const std::string& name) {
    std::size_t closest = std::max<std::size_t>(2, name.size() / 3) + 1;
    std::string found;
    for (const auto& parameter : metadata.parameters) {
        const std::size_t away = distance(name, option_name(parameter.name));
        if (away >= closest) continue;
        closest = away;
        found = parameter.name;
    }
    return found.empty() ? std::string() : fmt::format("; did you mean \"{}\"?", found);
}

bool is_password(std::string_view name) {
    return name == "password" || name == "passwd" || name == "password_script" ||
           name == "passwd_script";
}

bool is_given(const agent_metadata& metadata, const agent_parameter& parameter,
              const std::map<std::string, std::string>& options, bool has_password) {
    const std::string name = option_name(parameter.name);
    if (has_password && is_password(name)) return true;
    return std::any_of(options.begin(), options.end(), [&](const auto& option) {
        const std::string given = option_name(option.first);
        const agent_parameter* known = metadata.find(given);
        return given == name || given == option_name(parameter.obsoletes) ||
               (known && option_name(known->obsoletes) == name);
    });
}

// Why the option cannot be given to the agent; empty: it can.
std::string judge_option(const agent_metadata& metadata, const std::string& name,
                         const std::string& value) {
    const std::string plain = option_name(name);
    if (plain == "action" || plain == "option")
        return fmt::format("\"{}\" is chosen by primacy; remove it", name);
    if (plain == "method" && value == "cycle")
        return "method=cycle reports success while the host may still run; use onoff";
    const agent_parameter* known = metadata.find(name);
    if (!known)
        return fmt::format("{} has no option \"{}\"{}", metadata.name, name,
                           did_you_mean(metadata, plain));
    const auto& choices = known->choices;
    if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
        return fmt::format("{} does not take \"{}\" for \"{}\"; it takes {}", metadata.name, value,
                           name, fmt::join(choices, ", "));
    return {};
}

}  // namespace

std::string option_name(std::string_view written) {
    std::string name(written);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

bool agent_metadata::can(std::string_view action) const {
    return std::find(actions.begin(), actions.end(), action) != actions.end();
}

const agent_parameter* agent_metadata::find(std::string_view option) const {
    const std::string wanted = option_name(option);
    const auto found = std::find_if(
        parameters.begin(), parameters.end(),
        [&wanted](const agent_parameter& each) { return option_name(each.name) == wanted; });
    return found == parameters.end() ? nullptr : &*found;
}

rt::result<agent_metadata> parse_agent_metadata(std::string_view xml) {
    tree document;
    try {
        std::istringstream text{std::string(xml)};
        boost::property_tree::read_xml(text, document);
    } catch (const boost::property_tree::xml_parser_error& failure) {
        return metadata_not_understood(failure.message());
    }
    const auto root = document.get_child_optional("resource-agent");
    if (!root) return metadata_not_understood("it has no <resource-agent>");
    agent_metadata made;
    made.name = attribute(*root, "name");
    // Named: a loop over what get_child() was given as a temporary would outlive it.
    const tree none;
    for (const auto& [tag, element] : root->get_child("parameters", none))
        if (tag == "parameter") made.parameters.push_back(parameter_from(element));
    for (const auto& [tag, element] : root->get_child("actions", none))
        if (tag == "action") made.actions.push_back(attribute(element, "name"));
    if (made.actions.empty()) return metadata_not_understood("it names no actions");
    return made;
}

std::vector<option_problem> metadata_problems(const agent_metadata& metadata,
                                              const std::map<std::string, std::string>& options,
                                              bool has_password) {
    std::vector<option_problem> problems;
    const auto of_agent = [&problems](std::string sentence) {
        problems.push_back({"", std::move(sentence)});
    };
    if (!metadata.can("off"))
        of_agent(fmt::format("{} cannot power off (it has no action off); choose another agent",
                             metadata.name));
    if (!metadata.can("status"))
        of_agent(
            fmt::format("{} cannot be asked for the power (it has no action status), so that "
                        "a fence by it is never confirmed; choose another agent",
                        metadata.name));
    for (const auto& [name, value] : options)
        if (std::string wrong = judge_option(metadata, name, value); !wrong.empty())
            problems.push_back({name, std::move(wrong)});
    for (const auto& parameter : metadata.parameters) {
        if (!parameter.required || parameter.deprecated || parameter.has_default) continue;
        if (option_name(parameter.name) == "action") continue;
        if (!is_given(metadata, parameter, options, has_password))
            of_agent(fmt::format("{} needs the option \"{}\"{}", metadata.name, parameter.name,
                                 is_password(option_name(parameter.name))
                                     ? "; put it into a file and write password_file"
                                     : ""));
    }
    const bool takes_password = metadata.find("password") || metadata.find("passwd");
    if (has_password && !takes_password)
        of_agent(fmt::format("{} takes no password; remove password_file", metadata.name));
    return problems;
}

}  // namespace primacy::fencing
