// History pages for HTTP: one read of what is committed, after the channel is caught up (at most a second later).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "core/log.h"
#include "core/sync.h"
#include "core/turn.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

class History {
 public:
  History(Turn& turn, Log& log, Sync& sync, std::size_t asked_max)
      : turn_(turn), log_(log), sync_(sync), asked_max_(asked_max) {}

  void ask(HistoryAsk ask);
  /// The channel that was read; nothing when the ticket is not one of these.
  std::optional<Channel> on_read(const ReadDone& done);
  /// False when the ticket is not one of these.
  bool on_since(const SinceFound& found);
  void tick();

  /// Pages that were asked for and not given.
  std::size_t asked() const {
    return waiting_.size() + locating_.size() + reads_.size() + reads_waiting_.size();
  }

 private:
  static constexpr MonotonicMs kWaitMs = 1000;
  static constexpr std::size_t kPageStrokes = 1000;
  static constexpr std::size_t kPageBytes = std::size_t{512} << 10;
  static constexpr std::size_t kReadsMax = 16;  ///< pages being read at once: each is some MiB on its way out

  struct Asked {
    HistoryAsk ask;
    Sync::Round round = 0;
    MonotonicMs until_ms = 0;
    bool whole = false;  ///< all was here when the read was given to the store: what came after is not in it
  };

  bool here(const ChannelLog& log, const Asked& asked) const;
  bool waits(const ChannelLog& log, const Asked& asked) const;
  void find(Asked asked);
  void read(Asked asked);

  Turn& turn_;
  Log& log_;
  Sync& sync_;
  const std::size_t asked_max_;
  std::vector<Asked> waiting_;
  std::map<Ticket, Asked> locating_;
  std::map<Ticket, Asked> reads_;
  std::deque<Asked> reads_waiting_;
};

}  // namespace inkmesh::core
