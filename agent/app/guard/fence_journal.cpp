#include "agent/app/guard/fence_journal.hpp"

#include "agent/rt/offload.hpp"

namespace primacy::app {

rt::result<journal_history> read_history(const std::filesystem::path& directory) {
    auto contents = rt::read_journal(directory);
    if (!contents) return contents.error();
    journal_history made;
    auto spoil = [&](const std::filesystem::path& file, std::size_t line, const std::string& what) {
        if (made.trouble.empty())
            made.trouble = file.string() + ":" + std::to_string(line) + ": " + what +
                           "; read it with `primacy audit`, then move the file away";
    };
    for (const auto& damage : contents->damages)
        spoil(damage.file, damage.line, damage.what);
    for (const auto& record : contents->records) {
        auto entry = parse_record(record.object);
        if (entry)
            made.entries.push_back(std::move(*entry));
        else
            spoil(record.file, record.line, entry.error().message);
    }
    return made;
}

fence_journal::fence_journal(boost::asio::thread_pool& disk, std::filesystem::path directory)
    : disk_(disk), directory_(std::move(directory)) {}

std::shared_ptr<rt::result<fence_journal::opened>> fence_journal::opening::operator()() const {
    auto file = rt::journal::open(directory);
    if (!file) return std::make_shared<rt::result<opened>>(file.error());
    return std::make_shared<rt::result<opened>>(opened{std::move(*file), read_history(directory)});
}

rt::result<journal_history> fence_journal::adopt(rt::result<opened> made) {
    if (!made) {
        failure_ = made.error().message;
        return made.error();
    }
    file_.emplace(std::move(made->file));
    failure_.clear();
    damage_ = made->history ? made->history->trouble : made->history.error().message;
    return std::move(made->history);
}

rt::result<journal_history> fence_journal::open() {
    const opening job{directory_};
    return adopt(std::move(*job()));
}

boost::asio::awaitable<rt::result<journal_history>> fence_journal::open_again() {
    opening job{directory_};
    auto made = co_await rt::offload(disk_, std::move(job));
    co_return adopt(std::move(*made));
}

boost::asio::awaitable<rt::result<void>> fence_journal::write(fence_entry entry,
                                                              rt::durability how) {
    if (!file_) co_return rt::error{rt::errc::io, 0, failure_};
    append job{&*file_, to_json(entry), how};
    auto written = co_await rt::offload(disk_, std::move(job));
    failure_ = written ? "" : written.error().message;
    co_return written;
}

}  // namespace primacy::app
