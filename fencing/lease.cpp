#include "fencing/lease.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace primacy::fencing {

using checks::duration;
using checks::moment;

namespace {

duration part_of(duration whole, double share) {
    return duration(static_cast<duration::rep>(static_cast<double>(whole.count()) * share));
}

// Half of `longest` to all of it.
duration spread(duration longest, double chance) {
    return part_of(longest, 0.5 + 0.5 * std::clamp(chance, 0.0, 1.0));
}

std::string of_voters(std::size_t some, std::size_t all) {
    return std::to_string(some) + " of " + std::to_string(all) + " voters";
}

std::string seconds_text(duration time) {
    auto tenths = std::chrono::ceil<std::chrono::duration<std::int64_t, std::deci>>(time).count();
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

duration lease_policy::margin() const noexcept {
    return part_of(ttl, 2 * drift) + ttl / 8;
}

lease::lease(lease_policy policy) : policy_(std::move(policy)), seats_(policy_.voters.size()) {}

// --- what the votes are worth

moment lease::vote_until(const seat& one) const {
    return one.proved + policy_.ttl - policy_.margin();
}

bool lease::alive(const seat& one, moment now) const {
    return one.has == session::owner && now < vote_until(one);
}

std::size_t lease::alive_votes(moment now) const {
    std::size_t count = 0;
    for (const auto& one : seats_)
        count += alive(one, now) ? 1 : 0;
    return count;
}

// The moment at which one vote less than a majority is left, of those that have settled.
moment lease::valid_until(moment now) const {
    std::vector<moment> ends;
    for (const auto& one : seats_)
        if (one.has == session::owner && one.counts_from <= now) ends.push_back(vote_until(one));
    if (ends.size() < policy_.needed()) return moment::min();
    std::sort(ends.begin(), ends.end(), std::greater<>());
    return ends[policy_.needed() - 1];
}

// What was seen two looks ago is no news.
std::size_t lease::free_voters(moment now) const {
    std::size_t count = 0;
    for (const auto& one : seats_)
        if (one.has == session::idle && one.seen == sight::free &&
            now < one.seen_at + 2 * policy_.ping_interval())
            ++count;
    return count;
}

std::size_t lease::still_to_answer() const {
    std::size_t count = 0;
    for (const auto& one : seats_)
        count += one.has == session::idle && !one.asked ? 1 : 0;
    return count;
}

// --- what happens

void lease::want(bool wanted, moment now) {
    wanted_ = wanted;
    if (!wanted && stage_ != stage::apart) leave(now, 0, "");
    if (!wanted) failures_ = 0;
}

void lease::report(const lease_report& news, double chance) {
    // Time first: an answer that was read too late must not revive what has run out meanwhile.
    pass_time(news.answered, chance);
    record(seats_.at(news.voter), news, chance);
    pass_time(news.answered, chance);
}

void lease::record(seat& one, const lease_report& news, double chance) {
    switch (news.answer) {
        case lease_answer::connected:
            one.has = session::idle;
            one.due = news.answered;
            one.trouble.clear();
            break;
        case lease_answer::free:
        case lease_answer::taken:
            if (one.has == session::owner) {
                one.has = session::stale;
                one.trouble = "the lock is no longer ours";
            }
            one.seen = news.answer == lease_answer::free ? sight::free : sight::taken;
            one.seen_at = news.sent;
            // A look that was under way when the round began may say "free"; it asked for nothing.
            if (news.answer == lease_answer::taken) one.asked = true;
            one.due = news.answered;
            if (stage_ == stage::apart || one.asked) one.due += policy_.ping_interval();
            break;
        case lease_answer::ours:
            if (one.has == session::idle) {
                // The round that asked for it may be over.
                one.has = stage_ == stage::apart ? session::stale : session::owner;
                one.counts_from = news.answered + policy_.settling();
            }
            one.proved = std::max(one.proved, news.sent);
            one.asked = true;
            break;
        case lease_answer::lost:
            one.has = session::none;
            one.seen = sight::unknown;
            one.trouble = news.why;
            one.due = news.answered;
            if (!news.why.empty()) one.due += spread(policy_.ping_interval(), chance);
            break;
    }
}

void lease::pass_time(moment now, double chance) {
    while (step(now, chance)) {
    }
    // Only from here on: a lease that had a gap, however short, is not the same any more.
    if (held_) good_until_ = valid_until(now);
}

// One change of stage; false when there is none to make.
bool lease::step(moment now, double chance) {
    switch (stage_) {
        case stage::apart:
            if (!wanted_ || now < not_before_ || free_voters(now) < policy_.needed()) return false;
            gather(now);
            return true;
        case stage::gathering:
            if (alive_votes(now) >= policy_.needed()) {
                stage_ = stage::keeping;
                return true;
            }
            if (now < gather_until_ && alive_votes(now) + still_to_answer() >= policy_.needed())
                return false;
            leave(now, chance, "no majority of the locks could be had at once");
            return true;
        case stage::keeping:
            if (held_ && now < std::min(good_until_, valid_until(now))) return false;
            if (!held_ && alive_votes(now) >= policy_.needed()) {
                if (now < valid_until(now)) acquire(now);
                return false;
            }
            leave(now, chance, "lost the majority: " + trouble_sentence());
            return true;
    }
    return false;
}

void lease::acquire(moment now) {
    held_ = true;
    good_until_ = valid_until(now);
    ++epoch_;
    acquired_at_ = now;
    failures_ = 0;
    left_because_.clear();
}

void lease::gather(moment now) {
    stage_ = stage::gathering;
    gather_until_ = now + policy_.gathering();
    for (auto& one : seats_) {
        one.asked = false;
        if (one.has == session::idle) one.due = now;
    }
}

// Gives every lock back and pauses, the longer the more often it failed.
void lease::leave(moment now, double chance, std::string why) {
    stage_ = stage::apart;
    held_ = false;
    left_because_ = std::move(why);
    failures_ = std::min(failures_ + 1, 4U);
    not_before_ = now + spread(policy_.gathering() * (1 << failures_), chance);
    for (auto& one : seats_) {
        one.seen = sight::unknown;
        if (one.has == session::owner) one.has = session::stale;
    }
}

// --- what to do

lease_errand lease::next(std::size_t voter, moment now) const {
    const seat& one = seats_.at(voter);
    auto when_due = [now](lease_task what, moment due) {
        return due <= now ? lease_errand{what, due} : lease_errand{lease_task::wait, due};
    };
    if (one.has == session::stale) return {lease_task::close, now};
    if (!wanted_) {
        if (one.has == session::none) return {};
        return {lease_task::close, now};
    }
    if (one.has == session::none) return when_due(lease_task::connect, one.due);
    if (one.has == session::owner)
        return when_due(lease_task::ping, one.proved + policy_.ping_interval());
    if (stage_ == stage::apart) return when_due(lease_task::look, one.due);
    if (stage_ == stage::keeping) return when_due(lease_task::take, one.due);
    if (one.asked) return {lease_task::wait, gather_until_};
    return {lease_task::take, now};
}

moment lease::next_change(moment now) const {
    moment earliest = moment::max();
    auto consider = [now, &earliest](moment change) {
        if (change > now) earliest = std::min(earliest, change);
    };
    if (stage_ == stage::apart && wanted_) consider(not_before_);
    if (stage_ == stage::gathering) consider(gather_until_);
    if (stage_ == stage::keeping)
        for (const auto& one : seats_)
            if (one.has == session::owner) {
                consider(one.counts_from);
                consider(vote_until(one));
            }
    return earliest;
}

// --- what is told

lease_view lease::view(moment now) const {
    lease_view seen;
    seen.needed = policy_.needed();
    seen.voters = seats_.size();
    seen.votes = alive_votes(now);
    seen.epoch = epoch_;
    seen.acquired_at = acquired_at_;
    seen.held = held_ && now < good_until_;
    if (seen.held)
        seen.valid_until = good_until_;
    else
        seen.why = why_not(now);
    return seen;
}

std::string lease::why_not(moment now) const {
    if (!wanted_) return "the lease is not asked for";
    if (held_)
        return "the lease ran out: its votes were not renewed in time; was the agent paused?";
    const std::size_t all = seats_.size();
    const std::string need = ", " + std::to_string(policy_.needed()) + " are needed";
    if (stage_ == stage::gathering)
        return "asks for the locks: has " + of_voters(alive_votes(now), all) + need;
    if (stage_ == stage::keeping) {
        moment settled = now;
        for (const auto& one : seats_)
            if (alive(one, now)) settled = std::max(settled, one.counts_from);
        return "has " + of_voters(alive_votes(now), all) + " and waits " +
               seconds_text(settled - now) + " for whoever had them before to stop";
    }
    std::size_t taken = 0;
    std::size_t reached = 0;
    for (const auto& one : seats_) {
        taken += one.seen == sight::taken ? 1 : 0;
        reached += one.has == session::idle ? 1 : 0;
    }
    if (taken > 0)
        return "another agent has the lock on " + of_voters(taken, all) + ", and " +
               std::to_string(policy_.needed()) + " free ones are needed";
    const std::string before = left_because_.empty() ? "" : left_because_ + "; now ";
    return before + "reaches " + of_voters(reached, all) + need +
           (reached < all ? ": " + trouble_sentence() : "");
}

std::string lease::trouble_sentence() const {
    std::string all;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        if (seats_[i].has == session::owner || seats_[i].has == session::idle) continue;
        all += all.empty() ? "" : "; ";
        all += policy_.voters[i];
        all += seats_[i].trouble.empty() ? " has no session" : ": " + seats_[i].trouble;
    }
    return all.empty() ? "the voters did not answer in time" : all;
}

}  // namespace primacy::fencing
