#include "core/sessions.h"

#include <algorithm>

#include "core/mutation.h"
#include "core/sorted.h"

namespace inkmesh::core {
namespace {

Mode mode_of(StartAt::Kind kind) {
  switch (kind) {
    case StartAt::Kind::cursor:
      return Mode::delta;
    case StartAt::Kind::since:
      return Mode::since;
    case StartAt::Kind::live:
      return Mode::live;
    case StartAt::Kind::full:
      break;
  }
  return Mode::full;
}

Recipients only(ConnId conn) {
  return std::make_shared<const std::vector<ConnId>>(1, conn);
}

}  // namespace

// ---- connections ----------------------------------------------------------------------------------------------------

void Sessions::opened(const ConnOpened& event) {
  conns_[event.conn].client = event.client;
}

std::vector<ChannelLog*> Sessions::closed(ConnId conn) {
  std::vector<ChannelLog*> channels;
  const auto it = conns_.find(conn);
  if (it == conns_.end()) return channels;
  for (auto& [log, sub] : it->second.subs)
    channels.push_back(log);
  for (ChannelLog* log : channels)
    forget(conn, it->second, *log);
  conns_.erase(it);
  return channels;
}

void Sessions::written(const Written& event) {
  const auto it = conns_.find(event.conn);
  if (it == conns_.end()) return;
  Conn& to = it->second;
  to.unsent -= std::min(to.unsent, event.cost);
  resume(event.conn, to);
}

void Sessions::resume(ConnId conn, Conn& to) {
  if (to.lagging == 0 || !has_room(to)) return;
  for (auto& [log, sub] : to.subs) {
    if (sub.lagging) queue(conn, *log, sub);
  }
}

std::vector<ConnId> Sessions::connections() const {
  std::vector<ConnId> connections;
  connections.reserve(conns_.size());
  for (const auto& [conn, known] : conns_)
    connections.push_back(conn);
  std::sort(connections.begin(), connections.end());
  return connections;
}

const ClientName* Sessions::client(ConnId conn) const {
  const auto it = conns_.find(conn);
  return it == conns_.end() ? nullptr : &it->second.client;
}

Sessions::Sub* Sessions::find(ConnId conn, ChannelLog* log) {
  const auto it = conns_.find(conn);
  if (it == conns_.end()) return nullptr;
  const auto sub = it->second.subs.find(log);
  return sub == it->second.subs.end() ? nullptr : &sub->second;
}

bool Sessions::subscribed(ConnId conn, const ChannelLog& log) const {
  const auto it = conns_.find(conn);
  return it != conns_.end() && it->second.subs.count(const_cast<ChannelLog*>(&log)) != 0;
}

void Sessions::set_lagging(Conn& to, Sub& sub, bool lagging) {
  if (sub.lagging == lagging) return;
  sub.lagging = lagging;
  to.lagging += lagging ? 1 : UINT32_MAX;
}

// ---- coming and going -----------------------------------------------------------------------------------------------

Sessions::Subscribed Sessions::subscribe(const Subscribe& event, ChannelLog& log) {
  const auto found = conns_.find(event.conn);
  if (found == conns_.end()) return Subscribed::refused;
  Conn& to = found->second;
  const bool again = to.subs.count(&log) != 0;
  if (again) {
    forget(event.conn, to, log);
  } else if (to.subs.size() >= limits_.channels_per_connection) {
    turn_.emit(SendError{event.conn, event.id, ErrorCode::too_many_channels,
                         "at most " + std::to_string(limits_.channels_per_connection) + " channels on one connection",
                         0});
    return Subscribed::refused;
  }
  Sub& sub = to.subs[&log];
  sub.mode = mode_of(event.start.kind);
  sub.id = event.id;
  sub.generation = ++last_generation_;
  sub.since_ms = turn_.ms();
  if (!log.fanout) log.fanout = std::make_unique<Fanout>();
  insert_sorted(log.fanout->others, event.conn);
  ++figures_.subscriptions;
  sub.round = sync_.begin(log);
  switch (event.start.kind) {
    case StartAt::Kind::live:
      sub.state = State::joining;
      break;
    case StartAt::Kind::since: {
      sub.state = State::locating;
      const Ticket ticket = turn_.next_ticket();
      locating_.emplace(ticket, UnderWay{{event.conn, &log}, sub.generation, 0});
      turn_.emit(FindSince{ticket, log.name, event.start.since});
      break;
    }
    case StartAt::Kind::full:
    case StartAt::Kind::cursor:
      if (!mutated(Mutation::forget_cursor)) sub.cursor = event.start.cursor;
      turn_.emit(SendSubscribed{event.conn, event.id, log.name, sub.mode, sub.cursor});
      break;
  }
  queue(event.conn, log, sub);
  return again ? Subscribed::again : Subscribed::fresh;
}

bool Sessions::unsubscribe(ConnId conn, ChannelLog& log) {
  const auto it = conns_.find(conn);
  if (it == conns_.end() || it->second.subs.count(&log) == 0) return false;
  forget(conn, it->second, log);
  return true;
}

void Sessions::forget(ConnId conn, Conn& to, ChannelLog& log) {
  set_lagging(to, to.subs.at(&log), false);
  to.subs.erase(&log);
  --figures_.subscriptions;
  Fanout& fanout = *log.fanout;
  if (erase_sorted(fanout.live, conn)) fanout.recipients = nullptr;
  erase_sorted(fanout.others, conn);
  if (fanout.empty() && !fanout.in_turn) log.fanout = nullptr;
}

// ---- pushing to whoever is live -------------------------------------------------------------------------------------

void Sessions::show(ChannelLog& log, const Strokes& strokes) {
  if (!log.fanout || strokes.empty()) return;
  Fanout& fanout = *log.fanout;
  fanout.turn.insert(fanout.turn.end(), strokes.begin(), strokes.end());
  if (fanout.in_turn) return;
  fanout.in_turn = true;
  turn_channels_.push_back(&log);
}

void Sessions::push_turn(ChannelLog& log, Fanout& fanout) {
  std::size_t begin = 0;
  std::size_t cost = 0;
  for (std::size_t i = 0; i < fanout.turn.size() && !fanout.live.empty(); ++i) {
    cost += cost_of(*fanout.turn[i]);
    if (cost < kChunkBytes && i + 1 != fanout.turn.size()) continue;
    push_chunk(log, fanout, begin, i + 1, cost);
    begin = i + 1;
    cost = 0;
  }
}

void Sessions::push_chunk(ChannelLog& log, Fanout& fanout, std::size_t begin, std::size_t end, std::size_t cost) {
  std::vector<ConnId> full;
  for (const ConnId conn : fanout.live) {
    Conn& to = conns_.at(conn);
    if (to.unsent + to.reserved + cost > limits_.window_bytes && !mutated(Mutation::push_past_window)) {
      full.push_back(conn);
    } else {
      to.unsent += cost;
    }
  }
  if (!full.empty()) {
    Cursor before = log.shown();
    const std::size_t unsent = mutated(Mutation::demote_too_far) ? begin + 1 : begin;
    for (std::size_t i = fanout.turn.size(); i > unsent; --i) {
      before.set(fanout.turn[i - 1]->origin, fanout.turn[i - 1]->seq - 1);
    }
    for (const ConnId conn : full) {
      Conn& to = conns_.at(conn);
      Sub& sub = to.subs.at(&log);
      leave_live(conn, log, sub, before);
      if (has_room(to)) {
        queue(conn, log, sub);
      } else {
        set_lagging(to, sub, true);
      }
    }
  }
  if (fanout.live.empty()) return;
  if (!fanout.recipients) fanout.recipients = std::make_shared<const std::vector<ConnId>>(fanout.live);
  Strokes strokes(fanout.turn.begin() + static_cast<std::ptrdiff_t>(begin),
                  fanout.turn.begin() + static_cast<std::ptrdiff_t>(end));
  figures_.strokes_delivered += strokes.size() * fanout.live.size();
  turn_.emit(DeliverStrokes{fanout.recipients, std::move(strokes), cost});
}

void Sessions::go_live(ConnId conn, ChannelLog& log, Sub& sub) {
  sub.state = State::live;
  sub.cursor = Cursor{};
  Fanout& fanout = *log.fanout;
  erase_sorted(fanout.others, conn);
  insert_sorted(fanout.live, conn);
  fanout.recipients = nullptr;
}

void Sessions::leave_live(ConnId conn, ChannelLog& log, Sub& sub, Cursor cursor) {
  sub.state = State::replaying;
  sub.cursor = std::move(cursor);
  Fanout& fanout = *log.fanout;
  erase_sorted(fanout.live, conn);
  insert_sorted(fanout.others, conn);
  fanout.recipients = nullptr;
}

void Sessions::rewind(ChannelLog& log) {
  if (!log.fanout) return;
  push_turn(log, *log.fanout);
  log.fanout->turn.clear();
  const std::vector<ConnId> live = log.fanout->live;
  for (const ConnId conn : live) {
    Sub& sub = conns_.at(conn).subs.at(&log);
    leave_live(conn, log, sub, log.shown());
    queue(conn, log, sub);
  }
}

// ---- reading to everyone else ---------------------------------------------------------------------------------------

void Sessions::queue(ConnId conn, ChannelLog& log, Sub& sub) {
  if (sub.queued) return;
  sub.queued = true;
  ready_.emplace_back(conn, &log);
}

void Sessions::wait(ConnId conn, ChannelLog& log, Sub& sub) {
  if (sub.waiting) return;
  sub.waiting = true;
  waiting_.emplace_back(conn, &log);
}

void Sessions::give(ConnId conn, Conn& to, Sub& sub, Strokes strokes) {
  std::size_t cost = 0;
  for (const StrokePtr& stroke : strokes) {
    cost += cost_of(*stroke);
    sub.cursor.raise(stroke->origin, stroke->seq);
  }
  to.unsent += cost;
  figures_.strokes_delivered += strokes.size();
  turn_.emit(DeliverStrokes{only(conn), std::move(strokes), cost});
}

void Sessions::advance(ConnId conn, Conn& to, ChannelLog& log, Sub& sub) {
  if (sub.state == State::live || sub.state == State::locating || sub.reading) return;
  if (sub.state == State::joining) {
    const bool waits = !sync_.complete(log, sub.round) && sync_.hopeful(log) && turn_.ms() < sub.since_ms + kJoinMs;
    if (waits) {
      wait(conn, log, sub);
      return;
    }
    sub.state = State::replaying;
    sub.cursor = log.shown();
    turn_.emit(SendSubscribed{conn, sub.id, log.name, Mode::live, sub.cursor});
  }
  if (!has_room(to)) {
    set_lagging(to, sub, true);
    return;
  }
  Strokes strokes;
  std::size_t cost = 0;
  for (const auto& [origin, origin_log] : log.origins) {
    for (Seq seq = sub.cursor.at(origin) + 1; seq <= origin_log.shown; ++seq) {
      StrokePtr stroke = origin_log.in_memory(seq);
      if (stroke == nullptr && mutated(Mutation::skip_read)) continue;
      if (stroke == nullptr || cost > chunk_bytes()) {
        if (strokes.empty() || stroke == nullptr) {
          start_read(conn, to, log, sub);
          return;
        }
        give(conn, to, sub, std::move(strokes));
        queue(conn, log, sub);
        return;
      }
      cost += cost_of(*stroke);
      strokes.push_back(std::move(stroke));
    }
  }
  set_lagging(to, sub, false);
  if (!strokes.empty()) give(conn, to, sub, std::move(strokes));
  // A cursor that is ahead of what is here keeps its owner out of the common push, which would repeat strokes to it.
  if (log.shown().covers(sub.cursor) || mutated(Mutation::live_while_ahead)) go_live(conn, log, sub);
  tell_live(conn, log, sub);
}

void Sessions::tell_live(ConnId conn, ChannelLog& log, Sub& sub) {
  if (sub.told_complete) return;
  const bool complete = sync_.complete(log, sub.round);
  const bool waits = !complete && sync_.hopeful(log) && turn_.ms() < sub.since_ms + kJoinMs;
  if (complete || (!sub.told_live && !waits)) {
    turn_.emit(SendLive{conn, log.name, sub.state == State::live ? log.shown() : sub.cursor, complete});
    sub.told_live = true;
    sub.told_complete = complete;
  }
  if (!sub.told_complete) wait(conn, log, sub);
}

void Sessions::start_read(ConnId conn, Conn& to, ChannelLog& log, Sub& sub) {
  set_lagging(to, sub, false);
  sub.reading = true;
  if (reads_.size() >= kReadsMax) {
    reads_waiting_.emplace_back(conn, &log);
    return;
  }
  Read read;
  read.ticket = turn_.next_ticket();
  read.channel = log.name;
  read.after = sub.cursor;
  read.limit_bytes = std::min(kReadBytes, limits_.window_bytes / 4);
  read.limit_strokes = kReadStrokes;
  to.reserved += read.limit_bytes;
  reads_.emplace(read.ticket, UnderWay{{conn, &log}, sub.generation, read.limit_bytes});
  turn_.emit(std::move(read));
}

void Sessions::start_waiting_reads() {
  while (reads_.size() < kReadsMax && !reads_waiting_.empty()) {
    const auto [conn, log] = reads_waiting_.front();
    reads_waiting_.pop_front();
    Sub* sub = find(conn, log);
    if (sub == nullptr || !sub->reading) continue;
    sub->reading = false;
    queue(conn, *log, *sub);
    return;
  }
}

std::optional<Channel> Sessions::on_read(const ReadDone& done) {
  const auto it = reads_.find(done.ticket);
  if (it == reads_.end()) return std::nullopt;
  const UnderWay under_way = it->second;
  reads_.erase(it);
  start_waiting_reads();
  const ConnId conn = under_way.sub.first;
  ChannelLog* log = under_way.sub.second;
  const auto found = conns_.find(conn);
  if (found == conns_.end()) return log->name;
  Conn& to = found->second;
  to.reserved -= std::min(to.reserved, under_way.reserved);
  resume(conn, to);
  Sub* sub = find(conn, log);
  if (sub == nullptr || sub->generation != under_way.generation) return log->name;
  sub->reading = false;
  Strokes strokes;
  for (const StrokePtr& stroke : done.strokes) {
    // The store may be ahead of what was told: only a commit's report makes our own strokes tellable.
    const auto origin_log = log->origins.find(stroke->origin);
    if (origin_log != log->origins.end() && stroke->seq <= origin_log->second.shown) strokes.push_back(stroke);
  }
  if (mutated(Mutation::skip_first_of_page) && strokes.size() > 1) strokes.erase(strokes.begin());
  if (strokes.empty()) {
    stalled_.push_back(under_way.sub);
    return log->name;
  }
  give(conn, to, *sub, std::move(strokes));
  queue(conn, *log, *sub);
  return log->name;
}

bool Sessions::on_since(const SinceFound& found) {
  const auto it = locating_.find(found.ticket);
  if (it == locating_.end()) return false;
  const UnderWay under_way = it->second;
  locating_.erase(it);
  const auto [conn, log] = under_way.sub;
  Sub* sub = find(conn, log);
  if (sub == nullptr || sub->generation != under_way.generation) return true;
  sub->state = State::replaying;
  sub->cursor = found.before;
  turn_.emit(SendSubscribed{conn, sub->id, log->name, Mode::since, sub->cursor});
  queue(conn, *log, *sub);
  return true;
}

// ---- the turn's end -------------------------------------------------------------------------------------------------

void Sessions::flush() {
  std::vector<ChannelLog*> channels;
  channels.swap(turn_channels_);
  for (ChannelLog* log : channels) {
    Fanout& fanout = *log->fanout;
    push_turn(*log, fanout);
    fanout.turn.clear();
    fanout.in_turn = false;
    for (const ConnId conn : fanout.others) {
      Sub& sub = conns_.at(conn).subs.at(log);
      if (!sub.lagging && !sub.reading) queue(conn, *log, sub);
    }
    if (fanout.empty()) log->fanout = nullptr;
  }
  if (sync_.take_changed() || check_waiting_) {
    check_waiting_ = false;
    std::vector<SubRef> waiting;
    waiting.swap(waiting_);
    for (const auto& [conn, log] : waiting) {
      Sub* sub = find(conn, log);
      if (sub == nullptr || !sub->waiting) continue;
      sub->waiting = false;
      if (sub->state == State::live) {
        tell_live(conn, *log, *sub);
      } else {
        queue(conn, *log, *sub);
        if (!sub->told_complete) wait(conn, *log, *sub);
      }
    }
  }
  // What an advance queues again is for the next turn's end: a turn stays short.
  for (std::size_t left = ready_.size(); left > 0; --left) {
    const auto [conn, log] = ready_.front();
    ready_.pop_front();
    Sub* sub = find(conn, log);
    if (sub == nullptr || !sub->queued) continue;
    sub->queued = false;
    advance(conn, conns_.at(conn), *log, *sub);
  }
}

void Sessions::tick() {
  check_waiting_ = true;
  for (const auto& [conn, log] : stalled_) {
    if (Sub* sub = find(conn, log)) queue(conn, *log, *sub);
  }
  stalled_.clear();
}

Sessions::Figures Sessions::figures() const {
  Figures figures = figures_;
  figures.connections = conns_.size();
  // A sum, whatever the order.
  for (const auto& [conn, to] : conns_)
    figures.lagging += to.lagging;
  return figures;
}

std::vector<std::pair<ClientName, const ChannelLog*>> Sessions::lagging() const {
  std::vector<std::pair<ClientName, const ChannelLog*>> lagging;
  for (const auto& [conn, to] : conns_) {
    for (const auto& [log, sub] : to.subs) {
      if (sub.lagging) lagging.emplace_back(to.client, log);
    }
  }
  std::sort(lagging.begin(), lagging.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->name < b.second->name;
  });
  return lagging;
}

void Sessions::signal(ConnId from, ChannelLog& log, const ClientName& client, const std::string& data) {
  if (!log.fanout) return;
  const std::size_t cost = kSignalCost + data.size();
  auto to = std::make_shared<std::vector<ConnId>>();
  for (const auto* conns : {&log.fanout->live, &log.fanout->others}) {
    for (const ConnId conn : *conns) {
      Conn& session = conns_.at(conn);
      // A signal to a connection that is behind would only be late: the newer ones come when it has room.
      if (conn == from || !has_room(session)) continue;
      session.unsent += cost;
      to->push_back(conn);
    }
  }
  if (to->empty()) return;
  std::sort(to->begin(), to->end());
  figures_.signals_delivered += to->size();
  turn_.emit(DeliverSignal{std::move(to), log.name, client, data, cost});
}

}  // namespace inkmesh::core
