// The log of all channels: numbering, what is on its way to the store, heads, ops under way.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/channel_log.h"
#include "core/cluster_map.h"
#include "core/op_index.h"
#include "core/turn.h"
#include "inkmesh/core.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

/// A `ts` further ahead of our clock comes from a wrong one: it does not pull ours along.
constexpr TimeUs kTsLeadMaxUs = TimeUs{24} * 3600 * 1'000'000;

/// Where a stroke on its way to the store came from.
constexpr NodeIx kFromClient = UINT32_MAX;

class Log {
 public:
  Log(Turn& turn, const ClusterMap& cluster, Origin own, Durability durability, const CoreLimits& limits);

  void load(const std::vector<StoredHead>& heads);
  /// Says what was loaded that operators should know of.
  void begin();

  using Channels = std::map<ChannelKey, std::unique_ptr<ChannelLog>>;
  const Channels& channels() const {
    return channels_;
  }
  std::uint64_t held_channels() const {
    return held_channels_;
  }
  /// The most origins that any channel has.
  std::uint32_t channel_origins_max() const {
    return channel_origins_max_;
  }
  const Origin& own() const {
    return own_;
  }
  Durability durability() const {
    return durability_;
  }

  ChannelLog& open(const Channel& channel);
  ChannelLog* find(const Channel& channel);
  /// Forgets channels without any stroke that nobody uses any more: names cost memory.
  template <typename Unused>
  void forget_empty(Unused unused) {
    const auto settled = [&](ChannelLog* log) {
      if (!log->origins.empty()) return true;
      if (!unused(*log)) return false;
      by_name_.erase(log->name);
      channels_.erase(key_of(*log));
      return true;
    };
    empty_.erase(std::remove_if(empty_.begin(), empty_.end(), settled), empty_.end());
  }

  // ---- appending --------------------------------------------------------------------------------------------------

  /// True while more may be given to the store: what waits is within its bound.
  bool takes_publishes() const {
    return waiting_bytes_ < publish_bytes_max_;
  }
  bool takes_runs() const {
    return waiting_bytes_ < run_bytes_max_;
  }

  /// Numbers a client's stroke; it goes to the store with the turn's append. Takes the publish's client and data.
  StrokePtr number(ChannelLog& log, Publish& publish);

  /// What became of a peer's run.
  struct Accepted {
    Strokes fresh;         ///< to be shown now
    Seq gap_before = 0;    ///< not 0: nothing was taken; the run begins past our head + 1
    bool known = false;    ///< everything in it was committed here already
    bool refused = false;  ///< too much waits for the store: ask again later
  };
  /// Takes those strokes of a run that follow what was appended.
  Accepted accept(ChannelLog& log, const StrokeRun& run, NodeIx from);

  /// Emits the turn's Append, if anything was appended.
  void flush();

  // ---- what the store says ----------------------------------------------------------------------------------------

  struct CommittedItem {
    ChannelLog* log = nullptr;
    OriginLog* origin_log = nullptr;
    StrokePtr stroke;
    NodeIx from = kFromClient;
    std::uint64_t chain = 0;  ///< after it
  };
  /// The items of that append, now on disk; heads are moved. Empty for a ticket that is not an append's.
  std::vector<CommittedItem> committed(Ticket ticket);

  /// Takes every append that is under way back: they all fail with the first. The items, for their authors and
  /// senders. Empty for a ticket that was taken back before.
  std::vector<CommittedItem> failed(Ticket ticket);

  // ---- ops under way ----------------------------------------------------------------------------------------------

  /// A (channel, client, op) that is on its way to the store.
  std::optional<KnownOp> pending_op(const Channel& channel, const ClientName& client, Op op) const;

  // ---- memory -----------------------------------------------------------------------------------------------------

  /// Ends a turn: keeps but the last committed strokes of the channels that it touched.
  void trim_turn();
  /// Lets go of committed strokes of channels that have been quiet; called about twice a second.
  void trim_quiet();
  std::uint64_t tail_bytes() const {
    return tail_bytes_;
  }

 private:
  static constexpr std::uint64_t kTailBytesMax = std::uint64_t{128} << 20;
  static constexpr std::size_t kTailStrokes = 64;
  static constexpr MonotonicMs kQuietMs = 1000;

  struct Waiting {
    Ticket ticket = 0;
    std::vector<CommittedItem> items;
  };

  void append(ChannelLog& log, OriginLog& origin_log, StrokePtr stroke, NodeIx from);
  void trim(ChannelLog& log, const Origin& origin, OriginLog& origin_log, std::size_t keep);
  void set_head(ChannelLog& log, const Origin& origin, OriginLog& origin_log, Seq seq, std::uint64_t chain);
  void count_origin(ChannelLog& log);

  Turn& turn_;
  const ClusterMap& cluster_;
  const Origin own_;
  const Durability durability_;
  const std::uint64_t publish_bytes_max_;
  const std::uint64_t run_bytes_max_;
  Channels channels_;
  std::unordered_map<std::string_view, ChannelLog*> by_name_;
  std::uint64_t held_channels_ = 0;
  std::uint32_t channel_origins_max_ = 0;
  bool begun_ = false;

  Append next_;                       ///< gathered in this turn
  std::vector<CommittedItem> items_;  ///< beside next_.items
  std::deque<Waiting> waiting_;       ///< given to the store, in order
  std::uint64_t waiting_bytes_ = 0;
  std::uint64_t generation_ = 1;
  OpIndex pending_ops_;
  std::vector<ChannelLog*> active_;  ///< with strokes in memory
  std::vector<ChannelLog*> to_trim_;
  std::vector<ChannelLog*> empty_;  ///< opened without a stroke, since the last forget_empty()
  std::uint64_t tail_bytes_ = 0;
};

}  // namespace inkmesh::core
