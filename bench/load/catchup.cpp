#include "load/catchup.h"

#include "common/clock.h"
#include "load/scan.h"
#include "load/strokes.h"

namespace inkmesh::bench {
namespace {

constexpr std::uint64_t kFillWithin = 120 * kSecond;
constexpr std::uint64_t kOpenWithin = 60 * kSecond;
constexpr std::uint64_t kReadWithin = 30 * kSecond;
constexpr double kQuietS = 0.1;  // after the last delivery, for what nobody is owed

}  // namespace

Catchup::Catchup(const Setting& setting, const CatchupCase& wanted)
    : setting_(setting),
      wanted_(wanted),
      fleet_(setting.urls, *setting.dialect, *this),
      channel_(setting.prefix + "-long-drawing") {
  ledger_.add_publisher(0);
}

void Catchup::publish_next(Connection& author) {
  if (sent_ == fill_until_) return;
  stroke_.clear();
  append_stroke({.publisher = 0, .seq = ledger_.next_seq(0), .due_ns = now_ns()}, stroke_);
  fleet_.publish(author, ++sent_, channel_, stroke_);
}

void Catchup::ready(Connection&) {}

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

bool Catchup::message(Connection& connection, std::string_view text, std::uint64_t) {
  if (wanted_.held == 0) return false;
  const auto type = text_of(text.substr(0, 32), R"({"type":")");
  if (connection.index == 0 && type == "ack" && number_of(text, R"("id":)") == wanted_.held) {
    cursor_ = "{\"" + std::string(text_of(text, R"("origin":")")) +
              "\":" + std::to_string(number_of(text, R"("seq":)")) + "}";
  } else if (type == "subscribed" && text_of(text, R"("mode":")") != "delta") {
    throw RunFailed("a cursor was answered with: " + std::string(text.substr(0, 200)));
  }
  return false;
}

void Catchup::fill(std::uint32_t until) {
  fill_until_ = until;
  Connection& author = fleet_.at(0);
  for (std::uint32_t i = 0; i < wanted_.window; ++i)
    publish_next(author);
  fleet_.flush(author);
  const auto give_up = now_ns() + kFillWithin;
  while (acked_ < until) {
    if (now_ns() > give_up) throw RunFailed("the drawing was not filled within 120 s");
    fleet_.turn(10 * kMillisecond);
  }
}

void Catchup::open_readers() {
  const auto give_up = now_ns() + kOpenWithin;
  while (fleet_.unfinished() != 0) {
    if (now_ns() > give_up) throw RunFailed("the connections did not open within 60 s");
    fleet_.turn(10 * kMillisecond);
  }
}

// From asking for the drawing to having all that is lacking and being told so.
std::uint64_t Catchup::read_once(Connection& reader) {
  live_ = false;
  came_ = 0;
  const auto give_up = now_ns() + kReadWithin;
  const auto asked = now_ns();
  if (wanted_.held == 0) {
    fleet_.subscribe(reader, channel_);
  } else {
    fleet_.resume(reader, channel_, cursor_);
  }
  while ((!live_ || came_ < wanted_.strokes) && now_ns() < give_up)
    fleet_.turn(10 * kMillisecond);
  const auto took = now_ns() - asked;
  if (!live_ || came_ < wanted_.strokes) {
    throw RunFailed("a reader had " + std::to_string(came_) + " of " + std::to_string(wanted_.strokes) +
                    " strokes after 30 s");
  }
  return took;
}

void Catchup::look_on(double seconds) {
  const auto end = now_ns() + nanoseconds(seconds);
  for (auto now = now_ns(); now < end; now = now_ns())
    fleet_.turn(end - now);
}

Result Catchup::run() {
  fleet_.open(wanted_.fill_at, setting_.prefix + "-author");
  for (std::uint32_t i = 0; i < wanted_.readers; ++i)
    fleet_.open(wanted_.read_at, setting_.prefix + "-" + std::to_string(i));
  open_readers();
  fill(wanted_.held);
  for (std::uint32_t i = 0; i < wanted_.readers; ++i)
    ledger_.add_subscriber(0);
  fill(wanted_.held + wanted_.strokes);
  look_on(setting_.settle_s);
  announce("begin");
  Histogram times;
  std::uint64_t sum = 0;
  const Moment begin = sample_moment(setting_.processes);
  for (std::uint32_t i = 0; i < wanted_.readers; ++i) {
    Connection& reader = fleet_.at(1 + i);
    const auto took = read_once(reader);
    times.add(took);
    sum += took;
    // Each finds the drawing closed; the last one stays to see what it is not owed.
    if (i + 1 < wanted_.readers) fleet_.close(reader);
  }
  const Moment end = sample_moment(setting_.processes);
  announce("end");
  look_on(kQuietS);

  Result outcome;
  const double strokes = static_cast<double>(wanted_.strokes) * wanted_.readers;
  outcome.figures.add("strokes", wanted_.strokes).add("held", wanted_.held).add("readers", wanted_.readers);
  outcome.figures.add("caught_up_per_s", strokes / (static_cast<double>(sum) / static_cast<double>(kSecond)));
  if (!setting_.processes.empty()) {
    outcome.figures.add("cpu_us_per_delivery", static_cast<double>(servers_cpu_ns(begin, end)) / 1000 / strokes);
  }
  outcome.figures.add("catchup_us", times);
  add_usage(begin, end, outcome);
  if (const auto verdict = ledger_.verdict(); !verdict.empty()) outcome.failures.push_back("deliveries: " + verdict);
  return outcome;
}

}  // namespace inkmesh::bench
