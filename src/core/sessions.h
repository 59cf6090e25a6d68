// Subscribers: each is a cursor in a channel's log. Whoever has everything that was shown is live and is pushed to,
// all with one frame; everyone else is read to, from memory or from the store, as fast as its socket drains.
//
//   subscribe        all past the cursor given         a stroke is shown
//   ----------> replaying -----------------------> live <---+ (pushed)
//                  ^                                |   ----+
//                  |  Written: room again           | no room in the connection's window
//                  +------------- lagging <---------+
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/fanout.h"
#include "core/log.h"
#include "core/sync.h"
#include "core/turn.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

struct SessionLimits {
  std::size_t channels_per_connection = 0;
  std::size_t window_bytes = 0;  ///< what one connection may have unsent
};

class Sessions {
 public:
  Sessions(Turn& turn, Log& log, Sync& sync, SessionLimits limits)
      : turn_(turn), log_(log), sync_(sync), limits_(limits) {}

  void opened(const ConnOpened& event);
  /// The channels that the connection had open, now closed.
  std::vector<ChannelLog*> closed(ConnId conn);
  void written(const Written& event);

  enum class Subscribed { fresh, again, refused };
  Subscribed subscribe(const Subscribe& event, ChannelLog& log);
  bool unsubscribe(ConnId conn, ChannelLog& log);
  bool subscribed(ConnId conn, const ChannelLog& log) const;
  /// All that are open, ascending.
  std::vector<ConnId> connections() const;
  /// Nothing when the connection is not open.
  const ClientName* client(ConnId conn) const;

  /// Strokes that may be told now, in order; they go out with the turn.
  void show(ChannelLog& log, const Strokes& strokes);
  /// Strokes that were shown are not here any more: whoever has seen them keeps its own cursor, ahead of ours, until
  /// they are back. Called before the log's `shown` goes back.
  void rewind(ChannelLog& log);
  void signal(ConnId from, ChannelLog& log, const ClientName& client, const std::string& data);

  /// The channel that was read; nothing when the ticket is not one of a subscriber's.
  std::optional<Channel> on_read(const ReadDone& done);
  /// False when the ticket is not one of these.
  bool on_since(const SinceFound& found);

  void flush();
  /// Something waits for the next turn's end: it should come at once.
  bool pending() const {
    return !ready_.empty();
  }
  bool reading() const {
    return !reads_.empty();
  }
  void tick();

  struct Figures {
    std::uint64_t connections = 0;
    std::uint64_t subscriptions = 0;
    std::uint64_t lagging = 0;
    std::uint64_t strokes_delivered = 0;
    std::uint64_t signals_delivered = 0;
  };
  Figures figures() const;
  /// Subscribers that wait for their sockets.
  std::vector<std::pair<ClientName, const ChannelLog*>> lagging() const;

 private:
  static constexpr MonotonicMs kJoinMs = 1000;                        ///< how long `live` waits for a whole history
  static constexpr std::size_t kChunkBytes = std::size_t{128} << 10;  ///< strokes of one push
  static constexpr std::size_t kReadBytes = std::size_t{256} << 10;
  static constexpr std::size_t kReadStrokes = 2048;
  static constexpr std::size_t kReadsMax = 64;  ///< subscribers' reads under way at once
  static constexpr std::size_t kSignalCost = 128;

  enum class State { joining, locating, replaying, live };
  struct Sub {
    State state = State::replaying;
    Mode mode = Mode::full;
    RequestId id = 0;
    std::uint64_t generation = 0;  ///< tells a read's answer from one for a former subscription
    Cursor cursor;                 ///< what was given to it; not kept while it is live
    bool reading = false;
    bool queued = false;   ///< on `ready_`
    bool lagging = false;  ///< waits for Written
    bool told_live = false;
    bool told_complete = false;
    bool waiting = false;  ///< on `waiting_`
    MonotonicMs since_ms = 0;
    Sync::Round round = 0;  ///< of asking for the channel: `live` is complete once it has told everything
  };
  struct Conn {
    ClientName client;
    std::map<ChannelRef, Sub> subs;
    std::size_t unsent = 0;
    std::size_t reserved = 0;  ///< for reads under way
    std::uint32_t lagging = 0;
  };
  using SubRef = std::pair<ConnId, ChannelLog*>;
  struct UnderWay {
    SubRef sub;
    std::uint64_t generation = 0;
    std::size_t reserved = 0;
  };

  Sub* find(ConnId conn, ChannelLog* log);
  void queue(ConnId conn, ChannelLog& log, Sub& sub);
  void wait(ConnId conn, ChannelLog& log, Sub& sub);
  void advance(ConnId conn, Conn& to, ChannelLog& log, Sub& sub);
  void start_read(ConnId conn, Conn& to, ChannelLog& log, Sub& sub);
  void start_waiting_reads();
  void go_live(ConnId conn, ChannelLog& log, Sub& sub);
  void leave_live(ConnId conn, ChannelLog& log, Sub& sub, Cursor cursor);
  void tell_live(ConnId conn, ChannelLog& log, Sub& sub);
  void give(ConnId conn, Conn& to, Sub& sub, Strokes strokes);
  void push_turn(ChannelLog& log, Fanout& fanout);
  void push_chunk(ChannelLog& log, Fanout& fanout, std::size_t begin, std::size_t end, std::size_t cost);
  void set_lagging(Conn& to, Sub& sub, bool lagging);
  void forget(ConnId conn, Conn& to, ChannelLog& log);
  void resume(ConnId conn, Conn& to);
  /// What one batch out of memory gives: with half of the window free it fits, but for a single stroke.
  std::size_t chunk_bytes() const {
    return std::min(kChunkBytes, limits_.window_bytes / 4);
  }
  bool has_room(const Conn& to) const {
    return to.unsent + to.reserved <= limits_.window_bytes / 2;
  }

  Turn& turn_;
  Log& log_;
  Sync& sync_;
  const SessionLimits limits_;
  std::unordered_map<ConnId, Conn> conns_;
  std::vector<ChannelLog*> turn_channels_;
  std::deque<SubRef> ready_;     ///< to be advanced at the end of the turn
  std::vector<SubRef> waiting_;  ///< for their channel to be complete
  std::vector<SubRef> stalled_;  ///< read nothing, tried again at the next tick
  std::deque<SubRef> reads_waiting_;
  std::map<Ticket, UnderWay> reads_;
  std::map<Ticket, UnderWay> locating_;
  std::uint64_t last_generation_ = 0;
  bool check_waiting_ = false;
  Figures figures_;
};

}  // namespace inkmesh::core
