// The rules of a plan: each looks at one thing and refuses, warns or says nothing. Not for use
// outside this folder. Pure.
#pragma once

#include "osc/plan.hpp"

namespace primacy::osc {

// What a rule sees, and where it says what it found.
struct planning {
    const job_spec& asked;
    const facts& known;
    plan& made;

    bool allowed(std::string_view code) const;
    // Refuses, or warns where a person has allowed it by its code.
    void refuse(std::string_view code, std::string reason) const;
    void refuse_for_good(std::string_view code, std::string reason) const;
    void warn(std::string_view code, std::string reason) const;
    bool copies() const;  // by gh-ost or pt-osc: the table is written anew, row by row
    // Whose binary log gh-ost would read: the writer's, or that of the replica of a trial.
    const server_side* read_by_gh_ost() const;
};

// Why a tool cannot do it at all: nothing that a person could allow. Empty: it can.
std::string why_not_gh_ost(const planning& in);
std::string why_not_pt_osc(const planning& in);
// Statements that the account lacks, as a reason; empty: none.
std::string why_not_granted(const std::vector<std::string>& missing);

// A key that tells every row apart, now and after the ALTER; null: there is none.
const key_fact* lasting_row_identity(const table_facts& table, const alter_request& alter);

// Before a tool is chosen: what no tool may do, and what nobody can know.
void judge_request(const planning& in);
// With one chosen.
void judge_table(const planning& in);
void judge_servers(const planning& in);
void judge_surroundings(const planning& in);

}  // namespace primacy::osc
