#include "core/history.h"

#include <utility>

namespace inkmesh::core {

void History::ask(HistoryAsk ask) {
  if (asked() >= asked_max_) {
    turn_.emit(SendError{ask.conn, std::nullopt, ErrorCode::unavailable, "too many history requests at once", 500});
    return;
  }
  ChannelLog& log = log_.open(ask.channel);
  Asked asked{std::move(ask), sync_.begin(log), turn_.ms() + kWaitMs};
  if (waits(log, asked)) {
    waiting_.push_back(std::move(asked));
  } else {
    find(std::move(asked));
  }
}

bool History::here(const ChannelLog& log, const Asked& asked) const {
  // A page is read from the store: what was pulled counts once it is committed.
  return sync_.complete(log, asked.round) && log.committed().covers(*sync_.heads(log));
}

bool History::waits(const ChannelLog& log, const Asked& asked) const {
  return !here(log, asked) && sync_.hopeful(log) && turn_.ms() < asked.until_ms;
}

void History::find(Asked asked) {
  if (asked.ask.start.kind != StartAt::Kind::since) {
    read(std::move(asked));
    return;
  }
  const Ticket ticket = turn_.next_ticket();
  turn_.emit(FindSince{ticket, asked.ask.channel, asked.ask.start.since});
  locating_.emplace(ticket, std::move(asked));
}

void History::read(Asked asked) {
  if (reads_.size() >= kReadsMax) {
    reads_waiting_.push_back(std::move(asked));
    return;
  }
  asked.whole = here(log_.open(asked.ask.channel), asked);
  Read read;
  read.ticket = turn_.next_ticket();
  read.channel = asked.ask.channel;
  read.after = asked.ask.start.cursor;
  read.limit_bytes = kPageBytes;
  read.limit_strokes = kPageStrokes;
  reads_.emplace(read.ticket, std::move(asked));
  turn_.emit(std::move(read));
}

bool History::on_since(const SinceFound& found) {
  const auto it = locating_.find(found.ticket);
  if (it == locating_.end()) return false;
  Asked asked = std::move(it->second);
  locating_.erase(it);
  asked.ask.start.cursor = found.before;
  read(std::move(asked));
  return true;
}

std::optional<Channel> History::on_read(const ReadDone& done) {
  const auto it = reads_.find(done.ticket);
  if (it == reads_.end()) return std::nullopt;
  HistoryPage page;
  page.conn = it->second.ask.conn;
  page.channel = it->second.ask.channel;
  page.strokes = done.strokes;
  page.cursor = it->second.ask.start.cursor;
  for (const StrokePtr& stroke : done.strokes)
    page.cursor.raise(stroke->origin, stroke->seq);
  page.more = done.more;
  page.complete = !done.more && done.damaged.empty() && it->second.whole;
  reads_.erase(it);
  if (!reads_waiting_.empty()) {
    Asked next = std::move(reads_waiting_.front());
    reads_waiting_.pop_front();
    read(std::move(next));
  }
  Channel channel = page.channel;
  turn_.emit(std::move(page));
  return channel;
}

void History::tick() {
  std::vector<Asked> waiting;
  waiting.swap(waiting_);
  for (Asked& asked : waiting) {
    const ChannelLog& log = log_.open(asked.ask.channel);
    if (waits(log, asked)) {
      waiting_.push_back(std::move(asked));
    } else {
      find(std::move(asked));
    }
  }
}

}  // namespace inkmesh::core
