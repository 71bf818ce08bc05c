#include "agent/app/guard/resolve_json.hpp"

#include <boost/json/array.hpp>

namespace primacy::app {

namespace json = boost::json;

namespace {

json::value place_json(const std::optional<fencing::binlog_place>& place) {
    if (!place) return nullptr;
    return json::object{{"file", place->file}, {"position", place->position}};
}

json::value text_or_null(const std::string& text) {
    if (text.empty()) return nullptr;
    return json::value(text);
}

json::object loss_json(const fencing::loss& lost) {
    json::object made{{"server", lost.server},
                      {"read", lost.after_stop ? "after_stop" : "while_running"},
                      {"not_known", text_or_null(lost.cannot_say)}};
    if (!lost.cannot_say.empty()) return made;
    made["transactions"] = lost.transactions;
    made["counted"] = lost.counted;
    made["perhaps_more"] = lost.perhaps_more;
    made["gtids"] = lost.gtids;
    made["first"] = place_json(lost.first);
    made["end"] = place_json(lost.end);
    made["remark"] = text_or_null(lost.remark);
    made["extract"] = json::array(lost.extract.begin(), lost.extract.end());
    return made;
}

}  // namespace

json::object resolve_json(const fencing::resolve_plan& plan) {
    json::array stop, losses;
    for (const auto& fence : plan.fences) {
        json::array by;
        for (const auto& rung : fence.rungs)
            by.emplace_back(rung.name);
        stop.push_back(json::object{{"server", fence.server}, {"by", std::move(by)}});
    }
    for (const auto& lost : plan.losses)
        losses.push_back(loss_json(lost));
    return {{"keep", plan.survivor},
            {"keep_was_writable", plan.survivor_is_writable},
            {"agreement", fencing::agreement_of(plan)},
            {"stop", std::move(stop)},
            {"losses", std::move(losses)}};
}

}  // namespace primacy::app
