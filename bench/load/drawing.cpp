#include "load/drawing.h"

#include <algorithm>
#include <utility>

#include "common/clock.h"
#include "load/copies.h"
#include "load/strokes.h"

namespace inkmesh::bench {
namespace {

constexpr std::uint64_t kOpenWithin = 60 * kSecond;
constexpr std::uint64_t kCatchUpWithin = 60 * kSecond;
constexpr std::uint64_t kQuiet = 100 * kMillisecond;  // after the last delivery, for repeats
constexpr std::size_t kFirstRing = 16;

}  // namespace

Drawing::Drawing(const Setting& setting, DrawingPlan plan)
    : setting_(setting), plan_(std::move(plan)), fleet_(setting.urls, *setting.dialect, *this) {
  for (std::uint32_t i = 0; i < plan_.channels; ++i) {
    channel_names_.push_back(setting_.prefix + "-drawing-" + std::to_string(i));
  }
  place_members();
  if (setting_.homes >= 0) {
    copies_ = copies_by_member(plan_, channel_names_, static_cast<std::uint32_t>(setting_.urls.size()),
                               static_cast<std::uint32_t>(setting_.homes));
  }
}

void Drawing::place_members() {
  std::vector<std::uint32_t> last_reader(plan_.channels, kNone);
  for (const auto& member : plan_.members) {
    const auto index = static_cast<std::uint32_t>(roles_.size());
    Role role;
    role.member = member;
    if (member.draws) {
      role.publisher = ledger_.add_publisher(member.channel);
      role.unacked.resize(kFirstRing);
      authors_.push_back({.connection = index, .paced_by = member.reads ? index : kNone});
    }
    if (member.reads && !member.silent) last_reader[member.channel] = index;
    if (member.reads) ++unsubscribed_;
    roles_.push_back(std::move(role));
  }
  for (auto& role : roles_) {
    if (role.member.reads) role.subscriber = ledger_.add_subscriber(role.member.channel);
  }
  for (auto& author : authors_) {
    if (author.paced_by == kNone) author.paced_by = last_reader[roles_[author.connection].member.channel];
  }
}

void Drawing::open_all() {
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    fleet_.open(roles_[i].member.node, setting_.prefix + "-" + std::to_string(i), roles_[i].member.silent);
  }
  const auto give_up = now_ns() + kOpenWithin;
  while (fleet_.unfinished() != 0 || unsubscribed_ != 0) {
    if (now_ns() > give_up) {
      throw RunFailed(std::to_string(fleet_.unfinished()) + " connections did not open, " +
                      std::to_string(unsubscribed_) + " did not subscribe within 60 s");
    }
    fleet_.turn(10 * kMillisecond);
  }
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if (roles_[i].member.silent) fleet_.stop_reading(fleet_.at(i));
  }
}

void Drawing::ready(Connection& connection) {
  const Role& role = roles_[connection.index];
  if (role.member.reads) fleet_.subscribe(connection, channel_names_[role.member.channel]);
}

void Drawing::subscribed(Connection& connection, std::uint64_t) {
  Role& role = roles_[connection.index];
  if (role.subscribed) return;
  role.subscribed = true;
  --unsubscribed_;
}

void Drawing::lost(Connection& connection, const std::string& why) {
  // A server may cut off whoever does not read.
  if (!roles_[connection.index].member.silent || !drawing_) Listener::lost(connection, why);
  ++lost_silent_;
}

void Drawing::draw(Connection& author, std::uint64_t due, std::uint64_t now) {
  Role& role = roles_[author.index];
  if (role.sent - role.acked == role.unacked.size()) {
    // Twice the ring, and each stroke at its place in it.
    std::vector<std::uint64_t> larger(role.unacked.size() * 2);
    for (std::size_t i = role.acked; i < role.sent; ++i) {
      larger[i % larger.size()] = role.unacked[i % role.unacked.size()];
    }
    role.unacked = std::move(larger);
  }
  role.unacked[role.sent++ % role.unacked.size()] = due;
  stroke_.clear();
  append_stroke({.publisher = role.publisher, .seq = ledger_.next_seq(role.publisher), .due_ns = due}, stroke_);
  fleet_.publish(author, role.sent, channel_names_[role.member.channel], stroke_);
  const std::uint64_t copies = copies_.empty() ? 0 : copies_[author.index];
  all_copies_ += copies;
  if (!measured(due)) return;
  ++strokes_measured_;
  stroke_bytes_measured_ += stroke_.size();
  copies_measured_ += copies;
  lateness_.add(now - due);
}

void Drawing::delivered(Connection& connection, const Mark& mark, std::uint64_t now) {
  const Role& role = roles_[connection.index];
  if (role.subscriber == kNone) throw RunFailed("a stroke came to somebody who had not subscribed");
  ledger_.delivered(role.subscriber, mark.publisher, mark.seq);
  if (measured(mark.due_ns) && !role.member.silent) latency_.add(now - mark.due_ns);
  if (plan_.rate > 0 || !drawing_ || mark.publisher >= authors_.size()) return;
  const Author& author = authors_[mark.publisher];
  if (author.paced_by != connection.index) return;
  Connection& next = fleet_.at(author.connection);
  draw(next, now, now);
  if (&next != &connection) fleet_.flush(next);
}

void Drawing::acked(Connection& connection, std::uint64_t now) {
  Role& role = roles_[connection.index];
  if (role.publisher == kNone || role.acked == role.sent) return;
  const auto due = role.unacked[role.acked++ % role.unacked.size()];
  ++acks_;
  if (measured(now)) ++acks_measured_;
  if (measured(due)) ack_latency_.add(now - due);
  if (plan_.rate == 0 && drawing_ && authors_[role.publisher].paced_by == kNone) draw(connection, now, now);
}

void Drawing::draw_due(std::uint64_t now) {
  while (true) {
    const auto due = start_ns_ + nanoseconds(static_cast<double>(turns_taken_) / plan_.rate);
    if (due > now) return;
    Connection& author = fleet_.at(authors_[turns_taken_ % authors_.size()].connection);
    draw(author, due, now);
    fleet_.flush(author);
    ++turns_taken_;
  }
}

void Drawing::draw_until(std::uint64_t end) {
  while (true) {
    const auto now = now_ns();
    if (now >= end) return;
    auto next = end;
    if (drawing_ && plan_.rate > 0) {
      draw_due(now);
      next = std::min(end, start_ns_ + nanoseconds(static_cast<double>(turns_taken_) / plan_.rate));
    }
    fleet_.turn(next > now ? next - now : 0);
  }
}

bool Drawing::all_arrived() const {
  return ledger_.settled() && (!setting_.need_acks || acks_ == ledger_.strokes());
}

// Whoever did not read does now, and gets all that it has missed.
void Drawing::let_them_read() {
  const auto begun = now_ns();
  bool any = false;
  for (std::size_t i = 0; i < roles_.size(); ++i) {
    if (!roles_[i].member.silent || fleet_.at(i).fd < 0) continue;
    fleet_.start_reading(fleet_.at(i));
    any = true;
  }
  if (!any) return;
  const auto give_up = begun + kCatchUpWithin;
  while (!all_arrived() && now_ns() < give_up)
    fleet_.turn(10 * kMillisecond);
  caught_up_ns_ = now_ns() - begun;
}

void Drawing::wait_for_stragglers() {
  const auto give_up = now_ns() + nanoseconds(setting_.straggle_s);
  while (!all_arrived() && now_ns() < give_up)
    fleet_.turn(10 * kMillisecond);
  draw_until(now_ns() + kQuiet);
}

Result Drawing::run() {
  open_all();
  announce("ready");
  draw_until(now_ns() + nanoseconds(setting_.settle_s));

  drawing_ = true;
  start_ns_ = now_ns();
  begin_ns_ = start_ns_ + nanoseconds(setting_.warm_s);
  end_ns_ = begin_ns_ + nanoseconds(setting_.measured_s);
  if (plan_.rate == 0) {
    for (const auto& author : authors_) {
      for (std::uint32_t i = 0; i < plan_.window; ++i)
        draw(fleet_.at(author.connection), start_ns_, start_ns_);
      fleet_.flush(fleet_.at(author.connection));
    }
  }
  draw_until(begin_ns_);
  announce("begin");
  const auto delivered_before = ledger_.delivered();
  const auto bytes_before = fleet_.bytes_read();
  const auto links_before = setting_.links.bytes();
  const auto gossip_before = setting_.gossip.bytes();
  const Moment begin = sample_moment(setting_.processes);
  draw_until(end_ns_);
  const Moment end = sample_moment(setting_.processes);
  const auto delivered = ledger_.delivered() - delivered_before;
  const auto bytes = fleet_.bytes_read() - bytes_before;
  const auto link_bytes = setting_.links.bytes() - links_before;
  const auto gossip_bytes = setting_.gossip.bytes() - gossip_before;
  drawing_ = false;
  announce("end");
  let_them_read();
  wait_for_stragglers();
  Result outcome = result(begin, end, delivered);
  outcome.figures.add("bytes_read", bytes);
  add_traffic(link_bytes, gossip_bytes, static_cast<double>(end.at_ns - begin.at_ns) / static_cast<double>(kSecond),
              outcome.figures);
  return outcome;
}

void Drawing::add_traffic(std::uint64_t link_bytes, std::uint64_t gossip_bytes, double seconds,
                          JsonObject& figures) const {
  if (setting_.links.empty() || strokes_measured_ == 0) return;
  const auto strokes = static_cast<double>(strokes_measured_);
  figures.add("stroke_bytes", static_cast<double>(stroke_bytes_measured_) / strokes);
  figures.add("link_bytes_per_stroke", static_cast<double>(link_bytes) / strokes);
  if (!setting_.gossip.empty()) figures.add("gossip_bytes_per_s", static_cast<double>(gossip_bytes) / seconds);
  if (copies_.empty()) return;
  figures.add("all_copies", all_copies_).add("copies_per_stroke", static_cast<double>(copies_measured_) / strokes);
  if (copies_measured_ == 0) return;
  figures.add("link_bytes_per_copy", static_cast<double>(link_bytes) / static_cast<double>(copies_measured_));
}

Result Drawing::result(const Moment& begin, const Moment& end, std::uint64_t delivered) const {
  Result outcome;
  const double seconds = static_cast<double>(end.at_ns - begin.at_ns) / static_cast<double>(kSecond);
  const double cpu_us = static_cast<double>(servers_cpu_ns(begin, end)) / 1000;
  auto& figures = outcome.figures;
  figures.add("connections", fleet_.size()).add("window_s", seconds);
  figures.add("strokes", strokes_measured_).add("strokes_per_s", static_cast<double>(strokes_measured_) / seconds);
  figures.add("deliveries", delivered).add("deliveries_per_s", static_cast<double>(delivered) / seconds);
  figures.add("acks", acks_measured_).add("acks_per_s", static_cast<double>(acks_measured_) / seconds);
  if (!setting_.processes.empty()) {
    if (delivered != 0) figures.add("cpu_us_per_delivery", cpu_us / static_cast<double>(delivered));
    if (strokes_measured_ != 0) figures.add("cpu_us_per_stroke", cpu_us / static_cast<double>(strokes_measured_));
  }
  add_usage(begin, end, outcome);
  if (latency_.count() != 0) figures.add("latency_us", latency_);
  if (ack_latency_.count() != 0) figures.add("ack_latency_us", ack_latency_);
  if (plan_.rate > 0) figures.add("send_late_us", lateness_);
  figures.add("all_strokes", ledger_.strokes()).add("all_deliveries", ledger_.delivered());
  if (caught_up_ns_ != 0) {
    figures.add("slow_caught_up_ms", static_cast<double>(caught_up_ns_) / static_cast<double>(kMillisecond));
  }

  if (lost_silent_ != 0) {
    outcome.failures.push_back(std::to_string(lost_silent_) + " of those who did not read were cut off");
  }
  if (const auto verdict = ledger_.verdict(); !verdict.empty()) outcome.failures.push_back("deliveries: " + verdict);
  if (setting_.need_acks && acks_ != ledger_.strokes()) {
    outcome.failures.push_back(std::to_string(ledger_.strokes() - acks_) + " strokes were not acknowledged");
  }
  if (delivered == 0 && acks_measured_ == 0) outcome.failures.emplace_back("nothing was delivered in the window");
  return outcome;
}

}  // namespace inkmesh::bench
