#include "load/herd.h"

#include <algorithm>
#include <csignal>

#include "common/clock.h"

namespace inkmesh::bench {

Herd::Herd(const Setting& setting, const HerdCase& wanted)
    : setting_(setting), wanted_(wanted), fleet_(setting.urls, *setting.dialect, *this), live_(wanted.clients) {}

void Herd::ready(Connection& connection) {
  fleet_.subscribe(connection, setting_.prefix + "-drawing-" + std::to_string(connection.index / wanted_.people));
}

void Herd::subscribed(Connection& connection, std::uint64_t now) {
  if (live_[connection.index]) return;
  live_[connection.index] = true;
  --missing_;
  if (killed_ns_ != 0) until_live_.add(now - killed_ns_);
}

void Herd::delivered(Connection&, const Mark&, std::uint64_t) {
  throw RunFailed("a stroke came though nobody draws");
}

void Herd::lost(Connection& connection, const std::string& why) {
  if (killed_ns_ == 0) Listener::lost(connection, why);
  if (live_[connection.index]) {
    live_[connection.index] = false;
    ++missing_;
  }
  ++attempts_;
  // Each to one of the nodes that are left, half of them here, half there.
  const auto others = static_cast<std::uint32_t>(setting_.urls.size() - 1);
  fleet_.reopen(connection, 1 + (connection.index + connection.node) % others);
}

void Herd::wait_for_all(double seconds, const char* what) {
  const auto give_up = now_ns() + nanoseconds(seconds);
  while (missing_ != 0) {
    if (now_ns() > give_up) throw RunFailed(std::to_string(missing_) + " clients were not live " + what);
    fleet_.turn(5 * kMillisecond);
  }
}

Result Herd::run() {
  if (setting_.urls.size() < 2) throw RunFailed("herd needs a second node to go to");
  missing_ = wanted_.clients;
  for (std::uint32_t i = 0; i < wanted_.clients; ++i)
    fleet_.open(0, setting_.prefix + "-" + std::to_string(i));
  wait_for_all(60, "within 60 s");
  fleet_.set_opening(wanted_.clients);
  const auto settled = now_ns() + nanoseconds(setting_.settle_s);
  for (auto now = now_ns(); now < settled; now = now_ns())
    fleet_.turn(settled - now);

  announce("begin");
  const Moment begin = sample_moment(setting_.processes);
  killed_ns_ = now_ns();
  if (kill(wanted_.victim, SIGKILL) != 0) throw RunFailed("cannot kill process " + std::to_string(wanted_.victim));
  // Each is lost, comes back and is live: as long as one was not, there is less than one time for each.
  const auto give_up = killed_ns_ + nanoseconds(wanted_.within_s);
  while (until_live_.count() < wanted_.clients && now_ns() < give_up)
    fleet_.turn(5 * kMillisecond);
  wait_for_all(wanted_.within_s, "after the kill");
  if (until_live_.count() < wanted_.clients) {
    throw RunFailed("only " + std::to_string(until_live_.count()) +
                    " clients lost their node: another process was killed");
  }
  const Moment end = sample_moment(setting_.processes);
  announce("end");

  Result outcome;
  outcome.figures.add("clients", wanted_.clients).add("attempts", attempts_);
  outcome.figures.add("all_live_ms", static_cast<double>(until_live_.max()) / static_cast<double>(kMillisecond));
  outcome.figures.add("live_latency_us", until_live_);
  add_usage(begin, end, outcome);
  return outcome;
}

}  // namespace inkmesh::bench
