#include "load/fill.h"

#include "common/clock.h"
#include "load/strokes.h"

namespace inkmesh::bench {

Fill::Fill(const Setting& setting, const FillCase& wanted)
    : setting_(setting), wanted_(wanted), fleet_(setting.urls, *setting.dialect, *this), sent_(wanted.drawings) {}

void Fill::publish_next(Connection& author) {
  const std::uint32_t index = author.index;
  // The first ones draw what does not divide evenly.
  const std::uint32_t mine = wanted_.strokes / wanted_.drawings + (index < wanted_.strokes % wanted_.drawings ? 1 : 0);
  if (sent_[index] == mine) return;
  ++sent_[index];
  stroke_.clear();
  append_stroke({.publisher = index, .seq = sent_[index], .due_ns = now_ns()}, stroke_);
  fleet_.publish(author, sent_[index], setting_.prefix + "-drawing-" + std::to_string(index), stroke_);
}

void Fill::ready(Connection& connection) {
  for (std::uint32_t i = 0; i < wanted_.window; ++i)
    publish_next(connection);
  fleet_.flush(connection);
}

void Fill::acked(Connection& connection, std::uint64_t) {
  ++acked_;
  publish_next(connection);
}

void Fill::delivered(Connection&, const Mark&, std::uint64_t) {
  throw RunFailed("a stroke came to somebody who had not subscribed");
}

Result Fill::run() {
  for (std::uint32_t i = 0; i < wanted_.drawings; ++i)
    fleet_.open(i, setting_.prefix + "-" + std::to_string(i));
  const auto begun = now_ns();
  const auto give_up = begun + nanoseconds(wanted_.within_s);
  while (acked_ < wanted_.strokes) {
    if (now_ns() > give_up) throw RunFailed("only " + std::to_string(acked_) + " strokes were acknowledged in time");
    fleet_.turn(10 * kMillisecond);
  }
  Result outcome;
  outcome.figures.add("strokes", wanted_.strokes);
  outcome.figures.add("seconds", static_cast<double>(now_ns() - begun) / static_cast<double>(kSecond));
  return outcome;
}

}  // namespace inkmesh::bench
