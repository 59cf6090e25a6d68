#include "load/churn.h"

#include <algorithm>

#include "common/clock.h"

namespace inkmesh::bench {

Churn::Churn(const Setting& setting, const ChurnCase& wanted)
    : setting_(setting), wanted_(wanted), fleet_(setting.urls, *setting.dialect, *this), people_(wanted.people) {}

void Churn::ask(Connection& connection, std::uint64_t now) {
  Person& person = people_[connection.index];
  person.asked_ns = now;
  person.waits = true;
  fleet_.subscribe(connection, setting_.prefix + "-drawing-" + std::to_string(drawings_++));
}

void Churn::ready(Connection& connection) {
  people_[connection.index].open = 0;
  ask(connection, now_ns());
}

void Churn::subscribed(Connection& connection, std::uint64_t now) {
  Person& person = people_[connection.index];
  if (!person.waits) return;
  person.waits = false;
  if (measuring_) {
    ++opened_;
    until_open_.add(now - person.asked_ns);
  }
  if (++person.open < wanted_.drawings) return ask(connection, now);
  finished_.push_back(connection.index);
}

void Churn::delivered(Connection&, const Mark&, std::uint64_t) {
  throw RunFailed("a stroke came though nobody draws");
}

void Churn::pass(double seconds) {
  const auto end = now_ns() + nanoseconds(seconds);
  for (auto now = now_ns(); now < end; now = now_ns()) {
    fleet_.turn(std::min(end - now, 10 * kMillisecond));
    // Not within the turn: its connections are being read.
    for (const auto index : finished_)
      fleet_.reopen(fleet_.at(index), fleet_.at(index).node + 1);
    finished_.clear();
  }
}

Result Churn::run() {
  for (std::uint32_t i = 0; i < wanted_.people; ++i)
    fleet_.open(i, setting_.prefix + "-" + std::to_string(i));
  pass(setting_.warm_s);
  announce("begin");
  measuring_ = true;
  const Moment begin = sample_moment(setting_.processes);
  const auto gossip_before = setting_.gossip.bytes();
  pass(setting_.measured_s);
  const Moment end = sample_moment(setting_.processes);
  const auto gossip_bytes = setting_.gossip.bytes() - gossip_before;
  measuring_ = false;
  announce("end");

  Result outcome;
  const double seconds = static_cast<double>(end.at_ns - begin.at_ns) / static_cast<double>(kSecond);
  outcome.figures.add("window_s", seconds).add("opened", opened_);
  outcome.figures.add("drawings_per_s", static_cast<double>(opened_) / seconds);
  if (opened_ == 0) {
    outcome.failures.emplace_back("no drawing was opened in the window");
  } else if (!setting_.processes.empty()) {
    const double cpu_us = static_cast<double>(servers_cpu_ns(begin, end)) / 1000;
    outcome.figures.add("cpu_us_per_drawing", cpu_us / static_cast<double>(opened_));
  }
  outcome.figures.add("open_latency_us", until_open_);
  if (!setting_.gossip.empty()) outcome.figures.add("gossip_bytes_per_s", static_cast<double>(gossip_bytes) / seconds);
  add_usage(begin, end, outcome);
  return outcome;
}

}  // namespace inkmesh::bench
