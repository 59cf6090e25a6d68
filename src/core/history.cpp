#include "core/history.h"

#include <utility>

namespace inkmesh::core {

void History::ask(HistoryAsk ask) {
  if (waiting_.size() + locating_.size() + reads_.size() >= kAskedMax) {
    turn_.emit(SendError{ask.conn, std::nullopt, ErrorCode::unavailable, "too many history requests at once", 500});
    return;
  }
  ChannelLog& log = log_.open(ask.channel);
  sync_.begin(log);
  if (!sync_.complete(log) && sync_.hopeful(log)) {
    waiting_.push_back(Asked{std::move(ask), turn_.ms() + kWaitMs});
    return;
  }
  find(std::move(ask));
}

void History::find(HistoryAsk ask) {
  if (ask.start.kind != StartAt::Kind::since) {
    read(std::move(ask));
    return;
  }
  const Ticket ticket = turn_.next_ticket();
  turn_.emit(FindSince{ticket, ask.channel, ask.start.since});
  locating_.emplace(ticket, std::move(ask));
}

void History::read(HistoryAsk ask) {
  Read read;
  read.ticket = turn_.next_ticket();
  read.channel = ask.channel;
  read.after = ask.start.cursor;
  read.limit_bytes = kPageBytes;
  read.limit_strokes = kPageStrokes;
  reads_.emplace(read.ticket, std::move(ask));
  turn_.emit(std::move(read));
}

bool History::on_since(const SinceFound& found) {
  const auto it = locating_.find(found.ticket);
  if (it == locating_.end()) return false;
  HistoryAsk ask = std::move(it->second);
  locating_.erase(it);
  ask.start.cursor = found.before;
  read(std::move(ask));
  return true;
}

std::optional<Channel> History::on_read(const ReadDone& done) {
  const auto it = reads_.find(done.ticket);
  if (it == reads_.end()) return std::nullopt;
  HistoryPage page;
  page.conn = it->second.conn;
  page.channel = it->second.channel;
  page.strokes = done.strokes;
  page.cursor = it->second.start.cursor;
  for (const StrokePtr& stroke : done.strokes)
    page.cursor.raise(stroke->origin, stroke->seq);
  page.more = done.more;
  const ChannelLog* log = log_.find(page.channel);
  page.complete = !done.more && done.damaged.empty() && log != nullptr && sync_.complete(*log);
  reads_.erase(it);
  Channel channel = page.channel;
  turn_.emit(std::move(page));
  return channel;
}

void History::tick() {
  std::vector<Asked> waiting;
  waiting.swap(waiting_);
  for (Asked& asked : waiting) {
    const ChannelLog& log = log_.open(asked.ask.channel);
    const bool waits = !sync_.complete(log) && sync_.hopeful(log) && turn_.ms() < asked.until_ms;
    if (waits) {
      waiting_.push_back(std::move(asked));
    } else {
      find(std::move(asked.ask));
    }
  }
}

}  // namespace inkmesh::core
