// The parts of the page: its text format, the facts of the process, and what the documentation
// says.
#include "agent/app/metrics/layout.hpp"
#include "agent/app/metrics/page.hpp"
#include "tests/unit/app/metrics_support.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <set>
#include <sstream>

using namespace primacy;
using namespace primacy::app;

namespace {

const std::string source_directory = PRIMACY_SOURCE_DIRECTORY;

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    REQUIRE_MESSAGE(file, path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string labelled(std::string_view value) {
    std::string labels;
    metrics::add_label(labels, "l", value);
    return labels;
}

const std::string bad = "\xEF\xBF\xBD";

}  // namespace

TEST_CASE("numbers are short and exact") {
    for (auto [value, text] : std::initializer_list<std::pair<double, const char*>>{
             {0, "0"},
             {1, "1"},
             {-3, "-3"},
             {0.0005, "0.0005"},
             {2.5, "2.5"},
             {100'000, "100000"},
             {1795298711.123, "1795298711.123"},
             {0.1 + 0.2, "0.30000000000000004"},
             {999'999'999'999'999.0, "999999999999999"},
             {1.8446744073709552e19, "18446744073709551616"},
             {1e300, "1e+300"},
             {1e-9, "1e-09"}}) {
        CHECK_EQ(metrics::number_text(value), text);
        CHECK_EQ(std::strtod(metrics::number_text(value).c_str(), nullptr), value);
    }
}

TEST_CASE("labels are escaped, and joined by commas") {
    std::string labels = labelled("plain");
    metrics::add_label(labels, "m", "\"\\\n");
    CHECK_EQ(labels, R"(l="plain",m="\"\\\n")");
    CHECK_EQ(labelled(""), R"(l="")");
    CHECK_EQ(labelled("tab\there"), "l=\"tab" + bad + "here\"");
}

TEST_CASE("what is not UTF-8 is replaced, byte by byte") {
    for (std::string good : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF",
                             "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"})
        CHECK_EQ(labelled("a" + good + "b"), "l=\"a" + good + "b\"");
    for (auto [text, marks] : std::initializer_list<std::pair<std::string, int>>{
             {"\x80", 1},              // a continuation without a beginning
             {"\xC1\xBF", 2},          // longer than needed
             {"\xE0\x9F\xBF", 3},      // longer than needed
             {"\xED\xA0\x80", 3},      // a surrogate
             {"\xF0\x8F\xBF\xBF", 4},  // longer than needed
             {"\xF4\x90\x80\x80", 4},  // beyond U+10FFFF
             {"\xF8", 1},
             {"\xE2\x82", 2},  // cut short by the next character
             {"\xC3", 1}}) {
        std::string expected = "l=\"";
        for (int i = 0; i < marks; ++i)
            expected += bad;
        CHECK_EQ(labelled(text), expected + "\"");         // cut short by the end
        CHECK_EQ(labelled(text + "z"), expected + "z\"");  // and by another character
    }
}

TEST_CASE("facts from /proc/self/stat, whatever the program's name is") {
    metrics::process_facts facts;
    metrics::parse_stat(
        "42 (a) b (c) R 1 42 42 0 -1 4194560 95 0 0 0 150 50 0 0 20 0 3 0 8212 "
        "2830336 225 18446744073709551615 1 1 0\n",
        {100, 4096}, facts);
    CHECK_EQ(facts.cpu_seconds, 2.0);
    CHECK_EQ(facts.threads, 3.0);
    CHECK_EQ(facts.virtual_bytes, 2830336.0);
    CHECK_EQ(facts.resident_bytes, 225.0 * 4096);
    for (const char* nonsense : {"", "42", "42 (x) R 1 2 3", "42 (x"}) {
        metrics::process_facts none;
        metrics::parse_stat(nonsense, {100, 4096}, none);
        CHECK_FALSE(none.cpu_seconds.has_value());
        CHECK_FALSE(none.resident_bytes.has_value());
    }
}

TEST_CASE("the facts of this process are plausible") {
    auto before = metrics::read_process_facts();
    REQUIRE(before.open_descriptors.has_value());
    CHECK_GE(before.cpu_seconds.value(), 0);
    CHECK_GT(before.resident_bytes.value(), 100'000);
    CHECK_GT(before.virtual_bytes.value(), *before.resident_bytes);
    CHECK_GE(before.threads.value(), 1);
    CHECK_GE(before.max_descriptors.value(), *before.open_descriptors);
    double open = 0;
    for (int descriptor = 0; descriptor < 1024; ++descriptor)
        open += ::fcntl(descriptor, F_GETFD) != -1;
    CHECK_EQ(*before.open_descriptors, open);
}

TEST_CASE("families are named as Prometheus wants it") {
    std::set<std::string> names;
    for (const auto& family : metrics::all_families()) {
        std::string name = family.name, help = family.help;
        CHECK_MESSAGE(names.insert(name).second, name);
        CHECK_MESSAGE(name.ends_with("_total") == (family.type == metrics::family_type::counter),
                      name);
        CHECK_MESSAGE(help.ends_with("."), name);
        CHECK_MESSAGE(help.find_first_of("\\\n|") == std::string::npos, name);
    }
}

// The page shows a zero for every severity that a finding can have; the rules are what decides.
TEST_CASE("each finding has a series for each severity that its rule mentions") {
    tests::small_world world(1);
    auto samples = tests::samples_of(world.page());
    std::set<std::string> expected, shown;
    for (auto code : checks::all_finding_codes()) {
        std::string name(checks::to_string(code));
        auto rule = text_of(source_directory + "/checks/rules/" + name + ".cpp");
        for (std::string level : {"info", "warning", "critical"})
            if (rule.find("severity::" + level) != std::string::npos)
                expected.insert(R"(primacy_findings{topology="shop",code=")" + name +
                                R"(",severity=")" + level + R"("})");
    }
    for (const auto& [series, value] : samples)
        if (series.starts_with("primacy_findings{")) shown.insert(series);
    CHECK_EQ(shown, expected);
}

// PRIMACY_REWRITE=1 writes the table into the document instead, to be read with git diff.
TEST_CASE("docs/metrics.md shows the families as they are") {
    const std::string path = source_directory + "/docs/metrics.md";
    const std::string begin = "<!-- families: begin -->\n", end = "<!-- families: end -->\n";
    std::string document = text_of(path);
    auto from = document.find(begin), to = document.find(end);
    REQUIRE(from != std::string::npos);
    REQUIRE(to != std::string::npos);
    from += begin.size();
    if (std::getenv("PRIMACY_REWRITE") != nullptr) {
        document.replace(from, to - from, metrics::reference_table());
        std::ofstream(path) << document;
        return;
    }
    CHECK_EQ(document.substr(from, to - from), metrics::reference_table());
}
