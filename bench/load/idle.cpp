#include "load/idle.h"

#include "common/clock.h"

namespace inkmesh::bench {
namespace {

constexpr std::uint64_t kOpenWithin = 120 * kSecond;

}  // namespace

Idle::Idle(const Setting& setting, const IdleCase& wanted)
    : setting_(setting), wanted_(wanted), fleet_(setting.urls, *setting.dialect, *this) {}

void Idle::open(std::uint32_t count) {
  const auto nodes = static_cast<std::uint32_t>(setting_.urls.size());
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint32_t>(fleet_.size());
    subscribed_.push_back(wanted_.people == 0);
    if (wanted_.people != 0) ++unsubscribed_;
    fleet_.open(number % nodes, setting_.prefix + "-" + std::to_string(number));
  }
  const auto give_up = now_ns() + kOpenWithin;
  while (fleet_.unfinished() != 0 || unsubscribed_ != 0) {
    if (now_ns() > give_up) {
      throw RunFailed(std::to_string(fleet_.unfinished() + unsubscribed_) + " connections were not open in time");
    }
    fleet_.turn(10 * kMillisecond);
  }
}

void Idle::rest(double seconds) {
  const auto end = now_ns() + nanoseconds(seconds);
  for (auto now = now_ns(); now < end; now = now_ns())
    fleet_.turn(end - now);
}

void Idle::ready(Connection& connection) {
  if (wanted_.people == 0) return;
  fleet_.subscribe(connection, setting_.prefix + "-drawing-" + std::to_string(connection.index / wanted_.people));
}

void Idle::subscribed(Connection& connection, std::uint64_t) {
  if (subscribed_[connection.index]) return;
  subscribed_[connection.index] = true;
  --unsubscribed_;
}

void Idle::delivered(Connection&, const Mark&, std::uint64_t) {
  throw RunFailed("a stroke came though nobody draws");
}

Result Idle::run() {
  open(wanted_.first);
  rest(setting_.settle_s);
  const Moment before = sample_moment(setting_.processes);
  open(wanted_.connections);
  const Moment opened = sample_moment(setting_.processes);
  rest(setting_.settle_s);
  announce("begin");
  const Moment begin = sample_moment(setting_.processes);
  rest(setting_.measured_s);
  const Moment end = sample_moment(setting_.processes);
  announce("end");

  Result outcome;
  auto& figures = outcome.figures;
  const double count = wanted_.connections;
  std::uint64_t resident_before = 0;
  std::uint64_t resident = 0;
  for (const auto& [label, usage] : before.usage)
    resident_before += usage.rss_kib;
  for (const auto& [label, usage] : end.usage)
    resident += usage.rss_kib;
  const double seconds = static_cast<double>(opened.at_ns - before.at_ns) / static_cast<double>(kSecond);
  const double window = static_cast<double>(end.at_ns - begin.at_ns) / static_cast<double>(kSecond);
  figures.add("connections", fleet_.size()).add("window_s", window);
  figures.add("opened_per_s", count / seconds);
  if (!setting_.processes.empty()) {
    figures.add("bytes_per_connection",
                (static_cast<double>(resident) - static_cast<double>(resident_before)) * 1024 / count);
    figures.add("cpu_us_per_open", static_cast<double>(servers_cpu_ns(before, opened)) / 1000 / count);
    figures.add("cpu_us_per_connection_s",
                static_cast<double>(servers_cpu_ns(begin, end)) / 1000 / static_cast<double>(fleet_.size()) / window);
  }
  add_usage(begin, end, outcome);
  return outcome;
}

}  // namespace inkmesh::bench
