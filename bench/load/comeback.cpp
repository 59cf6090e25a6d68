#include "load/comeback.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "common/clock.h"
#include "load/scan.h"
#include "load/strokes.h"

namespace inkmesh::bench {
namespace {

constexpr std::uint64_t kFirstSubscribe = 1'000'000'000;  // a publish's id is its op
constexpr std::uint64_t kRetryMs = 200;
constexpr std::uint64_t kTurn = 5 * kMillisecond;
constexpr std::uint64_t kBeforeKill = 15 * kMillisecond;  // about what a stroke takes until its ack is here

double milliseconds(std::uint64_t from, std::uint64_t to) {
  return to > from ? static_cast<double>(to - from) / static_cast<double>(kMillisecond) : 0;
}

}  // namespace

Comeback::Comeback(const Setting& setting, const ComebackCase& wanted)
    : setting_(setting), wanted_(wanted), fleet_(setting.urls, *setting.dialect, *this) {}

// ---- what a client sends
// ----------------------------------------------------------------------------------------------

void Comeback::send_subscribe(Connection& connection) {
  Person& person = people_[connection.index];
  message_ = R"({"type":"subscribe","id":)" + std::to_string(kFirstSubscribe + ++connection.last_id) +
             R"(,"channel":")" + channel_of(person.drawing) + '"';
  if (person.opened) {
    message_ += R"(,"cursor":{)";
    bool first = true;
    for (const auto& [origin, seq] : person.cursor) {
      message_ += (first ? "\"" : ",\"") + origin + "\":" + std::to_string(seq);
      first = false;
    }
    message_ += '}';
  }
  message_ += '}';
  fleet_.send_text(connection, message_);
}

void Comeback::send_publish(Connection& connection, std::uint64_t op) {
  Person& person = people_[connection.index];
  Sent& sent = person.outbox.at(op);
  const std::string number = std::to_string(op);
  message_ = R"({"type":"publish","id":)" + number + R"(,"channel":")" + channel_of(person.drawing) + R"(","op":)" +
             number + R"(,"data":)" + sent.data + (sent.before ? R"(,"retry":true})" : "}");
  sent.before = true;  // as far as the next time is concerned
  fleet_.send_text(connection, message_);
}

void Comeback::draw(std::uint32_t index, std::uint64_t now) {
  Person& person = people_[index];
  const std::uint64_t op = ++person.ops;
  stroke_.clear();
  append_stroke({.publisher = index, .seq = static_cast<std::uint32_t>(op), .due_ns = now}, stroke_);
  person.outbox.emplace(op, Sent{.data = stroke_});
  person.acks.resize(op + 1);
  if (Connection& connection = fleet_.at(index); connection.state == Connection::State::ready) {
    send_publish(connection, op);
    fleet_.flush(connection);
  }
}

void Comeback::ready(Connection& connection) {
  Person& person = people_[connection.index];
  send_subscribe(connection);
  for (const auto& [op, sent] : person.outbox)
    send_publish(connection, op);
  if (person.away && fault_ns_ != 0) {
    person.away = false;
    if (person.first_op_elsewhere == 0) {
      person.first_op_elsewhere = person.ops + 1;
      draw(connection.index, now_ns());
    }
  }
  fleet_.flush(connection);
}

void Comeback::lost(Connection& connection, const std::string& why) {
  Person& person = people_[connection.index];
  if (fault_ns_ == 0 || !person.measured) Listener::lost(connection, why);
  person.live = false;
  if (!person.away) {
    person.away = true;
    person.last_op_before = person.ops;
    person.left_before = person.outbox.size();
    person.had_before = person.left_before != 0;
    if (!person.had_before) person.outbox_ns = fault_ns_;
  }
  ++attempts_;
  if (why.starts_with("cannot connect")) ++refused_;
  // Half of them know the other nodes in one order, half in the other.
  const auto nodes = static_cast<std::uint32_t>(setting_.urls.size());
  fleet_.reopen(connection, connection.node + (connection.index % 2 == 0 ? 1 : nodes - 1));
}

// ---- what comes
// -------------------------------------------------------------------------------------------------------

bool Comeback::message(Connection& connection, std::string_view text, std::uint64_t now) {
  Person& person = people_[connection.index];
  const auto type = text_of(text.substr(0, 32), R"({"type":")");
  if (type == "stroke" || type == "strokes") {
    read_strokes(person, text, now);
  } else if (type == "ack") {
    read_ack(connection, text, now);
  } else if (type == "live") {
    person.live = true;
    if (fault_ns_ != 0 && person.live_ns == 0) person.live_ns = now;
  } else if (type == "subscribed") {
    if (!person.opened && text.find(R"("cursor":{})") == std::string_view::npos) {
      throw RunFailed("a new drawing does not begin at its start: " + std::string(text.substr(0, 200)));
    }
    person.opened = true;
  } else if (type == "error") {
    read_error(connection, text, now);
  } else {
    return false;
  }
  return true;
}

void Comeback::read_strokes(Person& person, std::string_view text, std::uint64_t now) {
  constexpr std::string_view kOrigin = R"("origin":")";
  std::size_t at = 0;
  while ((at = text.find(kOrigin, at)) != std::string_view::npos) {
    at += kOrigin.size();
    const auto origin = text.substr(at, text.find('"', at) - at);
    const std::uint64_t seq = number_of(text.substr(at, 128), R"("seq":)");
    Mark mark;
    if (!next_mark(text, at, mark) || mark.publisher >= people_.size()) {
      throw RunFailed("a stroke came that nobody drew: " + std::string(text.substr(0, 200)));
    }
    auto known = person.cursor.find(origin);
    if (known == person.cursor.end()) known = person.cursor.emplace(origin, 0).first;
    if (seq != known->second + 1 && broken_.empty()) {
      broken_ =
          "after " + std::to_string(known->second) + " of " + std::string(origin) + " came " + std::to_string(seq);
    }
    known->second = std::max(known->second, seq);
    const Person& author = people_[mark.publisher];
    if (author.drawing != person.drawing && broken_.empty()) broken_ = "a stroke of another drawing came";
    auto& copies = person.got[author.slot];
    if (copies.size() <= mark.seq) copies.resize(mark.seq + 1);
    // Strokes of other origins: the protocol allows a second one, and clients draw the lower of the two.
    if (copies[mark.seq]++ != 0) {
      ++second_copies_;
    } else {
      person.last_got_ns = now;
    }
  }
}

void Comeback::read_ack(Connection& connection, std::string_view text, std::uint64_t now) {
  Person& person = people_[connection.index];
  const std::uint64_t op = number_of(text, R"("id":)");
  const auto found = person.outbox.find(op);
  if (found == person.outbox.end()) {
    throw RunFailed("an ack came for a stroke that waits for none: " + std::string(text.substr(0, 200)));
  }
  person.outbox.erase(found);
  person.acks[op] = {.origin = std::string(text_of(text, R"("origin":")")), .seq = number_of(text, R"("seq":)")};
  person.last_ack_ns = now;
  if (fault_ns_ == 0 || person.first_op_elsewhere == 0) return;
  if (person.ack_ns == 0) person.ack_ns = now;
  if (op >= person.first_op_elsewhere && person.new_ack_ns == 0) person.new_ack_ns = now;
  if (op <= person.last_op_before && --person.left_before == 0) person.outbox_ns = now;
}

void Comeback::read_error(Connection& connection, std::string_view text, std::uint64_t now) {
  const auto code = text_of(text, R"("code":")");
  if (code != "unavailable" && code != "rate_limited" && code != "storage_full") {
    throw RunFailed("the server answered " + connection.client + ": " + std::string(text.substr(0, 200)));
  }
  ++errors_;
  const auto id = number_of(text, R"("id":)");
  const auto wait =
      text.find(R"("retry_ms":)") == std::string_view::npos ? kRetryMs : number_of(text, R"("retry_ms":)");
  again_.push_back({.due_ns = now + wait * kMillisecond,
                    .index = connection.index,
                    .fd = connection.fd,
                    .op = id >= kFirstSubscribe ? 0 : id});
}

void Comeback::send_due(std::uint64_t now) {
  for (auto count = again_.size(); count > 0; --count) {
    const Again next = again_.front();
    again_.pop_front();
    if (next.due_ns > now) {
      again_.push_back(next);
      continue;
    }
    Connection& connection = fleet_.at(next.index);
    if (connection.fd != next.fd || connection.state != Connection::State::ready) continue;
    if (next.op == 0) {
      send_subscribe(connection);
    } else if (people_[next.index].outbox.contains(next.op)) {
      send_publish(connection, next.op);
    }
    fleet_.flush(connection);
  }
}

// ---- the run
// ----------------------------------------------------------------------------------------------------------

void Comeback::open_all() {
  const auto nodes = static_cast<std::uint32_t>(setting_.urls.size());
  const auto add = [this](std::uint32_t drawing, std::uint32_t node, bool measured) {
    const auto& connection = fleet_.open(node, setting_.prefix + "-" + std::to_string(people_.size()));
    if (drawing >= drawings_.size()) drawings_.resize(drawing + 1);
    Person person;
    person.drawing = drawing;
    person.slot = static_cast<std::uint32_t>(drawings_[drawing].size());
    person.measured = measured;
    person.acks.resize(1);
    drawings_[drawing].push_back(connection.index);
    people_.push_back(std::move(person));
  };
  for (std::uint32_t i = 0; i < wanted_.clients; ++i)
    add(i / wanted_.people, wanted_.victim ? 0 : i, true);
  if (wanted_.victim) {
    const auto drawings = static_cast<std::uint32_t>(drawings_.size());
    for (std::uint32_t drawing = 0; drawing < drawings; ++drawing) {
      for (std::uint32_t node = 1; node < nodes; ++node)
        add(drawing, node, false);
    }
  }
  for (auto& person : people_)
    person.got.resize(drawings_[person.drawing].size());
  const auto give_up = now_ns() + nanoseconds(wanted_.within_s);
  while (!std::ranges::all_of(people_, &Person::live)) {
    if (now_ns() > give_up) throw RunFailed("not all clients were live in time");
    fleet_.turn(kTurn);
  }
  // Each in a phase of its own, so that at any moment some strokes are under way.
  const auto period = nanoseconds(1 / wanted_.rate);
  const auto now = now_ns();
  for (std::size_t i = 0; i < people_.size(); ++i)
    people_[i].next_due_ns = now + period * i / people_.size();
}

void Comeback::draw_until(std::uint64_t end_ns) {
  const auto period = nanoseconds(1 / wanted_.rate);
  for (auto now = now_ns(); now < end_ns; now = now_ns()) {
    auto next = std::min(end_ns, now + kTurn);
    for (std::uint32_t i = 0; i < people_.size(); ++i) {
      Person& person = people_[i];
      if (person.next_due_ns <= now) {
        draw(i, now);
        person.next_due_ns += period;
      }
      next = std::min(next, person.next_due_ns);
    }
    send_due(now);
    fleet_.turn(next > now ? next - now : 0);
  }
}

bool Comeback::all_back() const {
  return std::ranges::all_of(people_, [](const Person& person) {
    return !person.measured ||
           (person.live_ns != 0 && person.ack_ns != 0 && person.new_ack_ns != 0 && person.outbox_ns != 0);
  });
}

void Comeback::wait_for_the_word() {
  std::string said;
  for (const auto give_up = now_ns() + nanoseconds(60); now_ns() < give_up;) {
    draw_until(now_ns() + kTurn);
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (poll(&input, 1, 0) <= 0) continue;
    std::array<char, 128> bytes{};
    const auto count = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count <= 0) break;
    said.append(bytes.data(), static_cast<std::size_t>(count));
    if (said.find('\n') == std::string::npos) continue;
    if (!said.starts_with("healed ")) break;
    fault_ns_ = number_at(std::string_view(said).substr(7));
    return;
  }
  throw RunFailed("stdin did not say \"healed\" and the moment in nanoseconds");
}

/// Who still waits for what; empty: nobody.
std::string Comeback::unsettled() const {
  std::uint64_t unacked = 0, unseen = 0;
  std::string first;
  for (const auto& person : people_) {
    unacked += person.outbox.size();
    const auto& authors = drawings_[person.drawing];
    for (std::size_t slot = 0; slot < authors.size(); ++slot) {
      const auto& copies = person.got[slot];
      const std::uint64_t drawn = people_[authors[slot]].ops;
      for (std::uint64_t op = 1; op <= drawn; ++op) {
        if (op < copies.size() && copies[op] != 0) continue;
        ++unseen;
        if (first.empty())
          first = ", the first is op " + std::to_string(op) + " of client " + std::to_string(authors[slot]);
      }
    }
  }
  if (unacked + unseen == 0) return {};
  return std::to_string(unacked) + " strokes are not acknowledged, " + std::to_string(unseen) +
         " deliveries are missing" + first;
}

void Comeback::check(Result& outcome) {
  if (const auto left = unsettled(); !left.empty()) outcome.failures.push_back(left);
  if (!broken_.empty()) outcome.failures.push_back("promise 1: " + broken_);
  std::uint64_t beyond = 0;
  for (const auto& drawing : drawings_) {
    for (const auto author : drawing) {
      for (const auto& [origin, seq] : people_[author].acks) {
        if (origin.empty()) continue;
        for (const auto reader : drawing) {
          const auto known = people_[reader].cursor.find(origin);
          if (known == people_[reader].cursor.end() || known->second < seq) ++beyond;
        }
      }
    }
  }
  if (beyond != 0) outcome.failures.push_back(std::to_string(beyond) + " acknowledged places were not delivered");
}

Result Comeback::run() {
  if (setting_.urls.size() < 2) throw RunFailed("there must be another node to go to");
  if (wanted_.rate <= 0) throw RunFailed("--rate must be above 0");
  open_all();
  fleet_.set_opening(wanted_.clients);
  draw_until(now_ns() + nanoseconds(setting_.warm_s));
  announce("begin");
  const Moment begin = sample_moment(setting_.processes);
  if (wanted_.victim) {
    // Few have a stroke under way at any moment: each draws one now, and the kill comes while they are on their way.
    for (std::uint32_t i = 0; i < wanted_.clients; ++i)
      draw(i, now_ns());
    draw_until(now_ns() + now_ns() % kBeforeKill);
    fault_ns_ = now_ns();
    if (kill(*wanted_.victim, SIGKILL) != 0) throw RunFailed("cannot kill process " + std::to_string(*wanted_.victim));
    const auto give_up = fault_ns_ + nanoseconds(wanted_.within_s);
    while (!all_back() && now_ns() < give_up)
      draw_until(now_ns() + kTurn);
    if (!all_back()) throw RunFailed("not all clients were acknowledged and live in time after the kill");
  } else {
    wait_for_the_word();
  }
  const auto give_up = now_ns() + nanoseconds(wanted_.within_s);
  while (!unsettled().empty() && now_ns() < give_up) {
    send_due(now_ns());
    fleet_.turn(kTurn);
  }
  const Moment end = sample_moment(setting_.processes);
  announce("end");

  Result outcome;
  std::uint64_t strokes = 0;
  std::vector<double> acked, fresh, outbox, live, seen, last_acked;
  for (const auto& person : people_) {
    strokes += person.ops;
    if (!person.measured) continue;
    if (wanted_.victim) {
      acked.push_back(milliseconds(fault_ns_, person.ack_ns));
      fresh.push_back(milliseconds(fault_ns_, person.new_ack_ns));
      if (person.had_before) outbox.push_back(milliseconds(fault_ns_, person.outbox_ns));
      live.push_back(milliseconds(fault_ns_, person.live_ns));
    } else {
      seen.push_back(milliseconds(fault_ns_, person.last_got_ns));
      if (person.last_ack_ns > fault_ns_) last_acked.push_back(milliseconds(fault_ns_, person.last_ack_ns));
    }
  }
  outcome.figures.add("clients", wanted_.clients).add("strokes", strokes).add("attempts", attempts_);
  outcome.figures.add("refused", refused_).add("second_copies", second_copies_).add("errors", errors_);
  if (wanted_.victim) {
    outcome.figures.add("ack_ms", acked).add("new_ack_ms", fresh).add("outbox_ms", outbox).add("live_ms", live);
  } else {
    outcome.figures.add("seen_ms", seen).add("last_ack_ms", last_acked);
  }
  add_usage(begin, end, outcome);
  check(outcome);
  return outcome;
}

}  // namespace inkmesh::bench
