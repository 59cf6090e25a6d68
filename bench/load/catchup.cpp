#include "load/catchup.h"

#include "common/clock.h"
#include "load/strokes.h"

namespace inkmesh::bench {
namespace {

constexpr std::uint64_t kFillWithin = 120 * kSecond;
constexpr std::uint64_t kReadWithin = 30 * kSecond;

}  // namespace

Catchup::Catchup(const Setting& setting, const CatchupCase& wanted)
    : setting_(setting),
      wanted_(wanted),
      fleet_(setting.urls, *setting.dialect, *this),
      channel_(setting.prefix + "-long-drawing") {
  ledger_.add_publisher(0);
  for (std::uint32_t i = 0; i < wanted_.readers; ++i)
    ledger_.add_subscriber(0);
}

void Catchup::publish_next(Connection& author) {
  if (sent_ == wanted_.strokes) return;
  stroke_.clear();
  append_stroke({.publisher = 0, .seq = ledger_.next_seq(0), .due_ns = now_ns()}, stroke_);
  fleet_.publish(author, ++sent_, channel_, stroke_);
}

void Catchup::ready(Connection& connection) {
  ready_ = true;
  if (connection.index != 0) return;
  for (std::uint32_t i = 0; i < wanted_.window; ++i)
    publish_next(connection);
  fleet_.flush(connection);
}

void Catchup::acked(Connection& connection, std::uint64_t) {
  ++acked_;
  publish_next(connection);
}

void Catchup::subscribed(Connection&, std::uint64_t) {
  live_ = true;
}

void Catchup::delivered(Connection& connection, const Mark& mark, std::uint64_t) {
  if (connection.index == 0) throw RunFailed("a stroke came to somebody who had not subscribed");
  ledger_.delivered(connection.index - 1, mark.publisher, mark.seq);
  ++came_;
}

void Catchup::fill() {
  fleet_.open(wanted_.fill_at, setting_.prefix + "-author");
  const auto give_up = now_ns() + kFillWithin;
  while (acked_ < wanted_.strokes) {
    if (now_ns() > give_up) throw RunFailed("the drawing was not filled within 120 s");
    fleet_.turn(10 * kMillisecond);
  }
}

// From asking for the drawing to having all of it and being told so.
std::uint64_t Catchup::read_once() {
  ready_ = live_ = false;
  came_ = 0;
  Connection& reader = fleet_.open(wanted_.read_at, setting_.prefix + "-" + std::to_string(fleet_.size()));
  const auto give_up = now_ns() + kReadWithin;
  while (!ready_ && now_ns() < give_up)
    fleet_.turn(10 * kMillisecond);
  const auto asked = now_ns();
  fleet_.subscribe(reader, channel_);
  while ((!live_ || came_ < wanted_.strokes) && now_ns() < give_up)
    fleet_.turn(10 * kMillisecond);
  const auto took = now_ns() - asked;
  if (!live_ || came_ < wanted_.strokes) {
    throw RunFailed("a reader had " + std::to_string(came_) + " of " + std::to_string(wanted_.strokes) +
                    " strokes after 30 s");
  }
  fleet_.close(reader);
  return took;
}

Result Catchup::run() {
  fill();
  const auto settled = now_ns() + nanoseconds(setting_.settle_s);
  for (auto now = now_ns(); now < settled; now = now_ns())
    fleet_.turn(settled - now);
  announce("begin");
  Histogram times;
  std::uint64_t sum = 0;
  const Moment begin = sample_moment(setting_.processes);
  for (std::uint32_t i = 0; i < wanted_.readers; ++i) {
    const auto took = read_once();
    times.add(took);
    sum += took;
  }
  const Moment end = sample_moment(setting_.processes);
  announce("end");

  Result outcome;
  const double strokes = static_cast<double>(wanted_.strokes) * wanted_.readers;
  outcome.figures.add("strokes", wanted_.strokes).add("readers", wanted_.readers);
  outcome.figures.add("caught_up_per_s", strokes / (static_cast<double>(sum) / static_cast<double>(kSecond)));
  if (!setting_.processes.empty()) {
    outcome.figures.add("cpu_us_per_delivery", static_cast<double>(servers_cpu_ns(begin, end)) / 1000 / strokes);
  }
  outcome.figures.add("catchup_us", times);
  add_usage(begin, end, outcome.figures);
  if (const auto verdict = ledger_.verdict(); !verdict.empty()) outcome.failures.push_back("deliveries: " + verdict);
  return outcome;
}

}  // namespace inkmesh::bench
