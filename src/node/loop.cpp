#include "node/loop.h"

#include <fcntl.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "node/http_routes.h"
#include "node/logging.h"
#include "node/metrics.h"
#include "node/node.h"
#include "node/status_json.h"

namespace inkmesh::node {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

/// A turn's events: few enough that the first of them is not answered late.
constexpr std::size_t kTurnEventsMax = 2'000;
/// How long an HTTP request may wait for its stroke to be durable.
constexpr MonotonicMs kHttpWaitMs = 10'000;
/// How long the end may wait for commits and acknowledgements that are under way.
constexpr MonotonicMs kStopWaitMs = 500;
constexpr std::int64_t kStopCheckMs = 5;
/// How long a turn keeps the next one waiting after a busy time, and one that had several things to do: those that come
/// within that time share a turn, with all that it costs to wake others.
constexpr std::uint64_t kTurnUs = 1'500;
constexpr std::uint64_t kSharedTurnUs = 4'000;
constexpr std::uint64_t kSharedEvents = 3;
constexpr std::uint16_t kCloseGoingAway = 1012;

Now read_clocks() {
  const auto monotonic = steady_clock::now().time_since_epoch();
  const auto wall = system_clock::now().time_since_epoch();
  return {static_cast<MonotonicMs>(std::chrono::duration_cast<milliseconds>(monotonic).count()),
          static_cast<TimeUs>(std::chrono::duration_cast<microseconds>(wall).count())};
}

}  // namespace

Loop::Loop(Parts parts) : parts_(std::move(parts)) {
  parts_.mesh.watch(parts_.inbox.wake_fd());
  if (parts_.edge.has_threads()) return;
  const int descriptor = fcntl(parts_.mesh.descriptor(), F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) throw std::runtime_error("out of file descriptors");
  parts_.edge.watch(descriptor);
}

void Loop::run() {
  pthread_setname_np(pthread_self(), "loop");
  now_ = read_clocks();
  while (!stopped())
    turn();
}

/// Peers and clients whose news are few are heard at once; under load, what comes within a moment shares a turn.
/// Whoever catches up is not made to wait for each page.
void Loop::keep_pace() {
  if (stopping_ || parts_.core.reading()) return;
  const auto us = [] {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count());
  };
  if (const std::uint64_t wait = pace_.wait_us(us()); wait > 0) std::this_thread::sleep_for(microseconds(wait));
  const std::uint64_t events = std::exchange(events_in_turn_, 0);
  pace_.take(us(), events >= kSharedEvents ? kSharedTurnUs : kTurnUs);
}

std::uint64_t Loop::wait_for_events() {
  received_.clear();
  if (parts_.edge.has_threads()) {
    parts_.mesh.poll(wait_ms(), received_);
    return 0;
  }
  const std::uint64_t served_us = parts_.edge.turn(parts_.mesh.wait_ms(parts_.inbox.waiting() > 0 ? 0 : wait_ms()));
  parts_.mesh.poll(0, received_);
  return served_us;
}

void Loop::turn() {
  keep_pace();
  const std::uint64_t served_us = wait_for_events();

  const auto start = steady_clock::now();
  now_ = read_clocks();
  take_events();
  if (now_.monotonic_ms >= parts_.core.next_wakeup()) step(Tick{});
  parts_.core.end_turn(now_, effects_);
  carry_out(effects_, *this);
  answer_late_http();

  const auto took = std::chrono::duration_cast<microseconds>(steady_clock::now() - start).count();
  const auto took_us = static_cast<std::uint64_t>(took) + served_us;
  ++stats_.turns;
  stats_.busy_us_total += took_us;
  stats_.turn_us_max = std::max(stats_.turn_us_max, took_us);
}

std::int64_t Loop::wait_ms() const {
  if (next_answer_ < answers_.size() || next_mail_ < mail_.size()) return 0;
  if (stopping_) return kStopCheckMs;
  MonotonicMs due = parts_.core.next_wakeup();
  if (!http_deadlines_.empty()) due = std::min(due, http_deadlines_.front().first);
  const MonotonicMs now = read_clocks().monotonic_ms;
  // A wait that is too long by a rounding error would be a late heartbeat; one that is far off is an event away.
  return due > now ? static_cast<std::int64_t>(std::min<MonotonicMs>(due - now, 60'000)) : 0;
}

void Loop::take_events() {
  // Peers that say much leave room for clients and the store.
  std::size_t left = kTurnEventsMax - std::min(kTurnEventsMax / 2, received_.size());
  for (Event& event : received_) {
    step(std::move(event));
  }

  if (next_answer_ == answers_.size()) {
    answers_.clear();
    next_answer_ = 0;
  }
  if (next_mail_ == mail_.size()) {
    mail_.clear();
    next_mail_ = 0;
  }
  parts_.inbox.take(answers_, mail_);
  // Answers first: they finish what was begun, and make room.
  for (; next_answer_ < answers_.size() && left > 0; --left)
    step(std::move(answers_[next_answer_++]));
  for (; next_mail_ < mail_.size() && left > 0; --left)
    handle(std::move(mail_[next_mail_++]));
}

void Loop::step(Event&& event) {
  ++stats_.events;
  ++events_in_turn_;
  if (auto* publish = std::get_if<Publish>(&event)) {
    publish->known = parts_.store.find_op(publish->channel, publish->client, publish->op);
  }
  parts_.core.step(std::move(event), now_, effects_);
}

void Loop::handle(Mail&& mail) {
  if (auto* event = std::get_if<Event>(&mail)) {
    step(std::move(*event));
  } else if (const auto* written = std::get_if<std::vector<Written>>(&mail)) {
    for (const Written& one : *written)
      step(one);
  } else if (const auto* request = std::get_if<edge::HttpRequest>(&mail)) {
    serve(*request);
  } else {
    stopping_ = true;
    stop_by_ms_ = now_.monotonic_ms + kStopWaitMs;
  }
}

void Loop::serve(const edge::HttpRequest& request) {
  HttpAction action = route(request, parts_.files);
  const auto wait_for_core = [&](Event&& event) {
    http_waiting_.insert(request.conn);
    http_deadlines_.emplace_back(now_.monotonic_ms + kHttpWaitMs, request.conn);
    step(std::move(event));
  };
  if (auto* publish = std::get_if<Publish>(&action)) return wait_for_core(std::move(*publish));
  if (auto* history = std::get_if<HistoryAsk>(&action)) return wait_for_core(std::move(*history));

  auto* ready_made = std::get_if<edge::HttpResponse>(&action);
  edge::HttpResponse response = ready_made != nullptr ? std::move(*ready_made) : report(std::get<Report>(action));
  parts_.edge.answer(request.conn, std::move(response));
}

edge::HttpResponse Loop::report(Report kind) const {
  if (kind == Report::ready) return readiness(parts_.core.status());
  edge::HttpResponse response;
  response.headers.emplace_back("Cache-Control", "no-store");
  if (kind == Report::metrics) {
    response.content_type = kMetricsContentType;
    response.body = metrics_text(snapshot());
  } else {
    response.body = status_json(parts_.config, snapshot());
  }
  return response;
}

void Loop::answer_late_http() {
  while (!http_deadlines_.empty() && http_deadlines_.front().first <= now_.monotonic_ms) {
    SendError late;
    late.code = ErrorCode::unavailable;
    late.message = "not durable on enough nodes yet; send it again with the same op";
    late.retry_ms = 1'000;
    answer_http(http_deadlines_.front().second, response_to(late));
    http_deadlines_.pop_front();
  }
}

bool Loop::stopped() const {
  if (!stopping_) return false;
  if (now_.monotonic_ms >= stop_by_ms_) return true;
  return parts_.committer.stats().queue_now == 0 && parts_.inbox.waiting() == 0 &&
         parts_.core.status().acks_waiting == 0;
}

Snapshot Loop::snapshot() const {
  Snapshot now;
  now.core = parts_.core.status();
  now.edge = parts_.edge.stats();
  now.mesh = parts_.mesh.stats();
  now.committer = parts_.committer.stats();
  now.store = parts_.store.usage();
  now.loop = stats_;
  now.loop.waiting = parts_.inbox.waiting() + (answers_.size() - next_answer_) + (mail_.size() - next_mail_);
  now.loop.refused = parts_.inbox.refused();
  now.process = process_usage();
  return now;
}

void Loop::send_to_clients(std::vector<edge::Outgoing>&& frames) {
  parts_.edge.send(std::move(frames));
}

void Loop::answer_http(ConnId conn, edge::HttpResponse&& response) {
  // What comes after its time has an answer already.
  if (http_waiting_.erase(conn) > 0) parts_.edge.answer(conn, std::move(response));
}

void Loop::close_client(ConnId conn, const std::string& reason) {
  parts_.edge.close(conn, kCloseGoingAway, reason);
}

void Loop::submit(Append&& append) {
  parts_.committer.submit(std::move(append));
}

void Loop::submit(Repair&& repair) {
  parts_.committer.submit(std::move(repair));
}

void Loop::submit(Note&& note) {
  parts_.committer.submit(std::move(note));
}

void Loop::submit(Read&& read) {
  parts_.committer.submit(std::move(read));
}

void Loop::submit(FindSince&& find) {
  parts_.committer.submit(std::move(find));
}

void Loop::submit(FindOp&& find) {
  parts_.committer.submit(std::move(find));
}

void Loop::send_gossip(const SendGossip& gossip) {
  parts_.mesh.send(gossip);
}

void Loop::send_frame(const SendFrame& frame) {
  parts_.mesh.send(frame);
}

void Loop::say(const Say& say) {
  log(say.severity, say.text);
}

void Loop::halt(const Halt& halt) {
  end_process(kExitHalted, halt.reason);
}

}  // namespace inkmesh::node
