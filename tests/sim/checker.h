// What is true, as an outsider may know it: what clients sent, what they were told, what is on the disks; and the
// promises of PROTOCOL.md held against it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agenda.h"
#include "inkmesh/effect.h"
#include "inkmesh/stroke.h"
#include "network.h"
#include "options.h"
#include "store/memory_store.h"

namespace inkmesh::sim {

class Checker {
 public:
  Checker(const Agenda& agenda, const Options& options) : agenda_(agenda), options_(options) {}

  /// The disks, one for each node; they outlive the checker.
  void watch(const store::MemoryStore& disk) {
    disks_.push_back(&disk);
  }

  // ---- what happened ------------------------------------------------------------------------------------------------

  /// A client publishes for the first time.
  void sent(const Channel& channel, const ClientName& client, Op op, const std::string& data);
  /// A node shows, forwards or has stored this stroke.
  void told(const StrokePtr& stroke);
  /// A node acknowledges a client's op; its cluster file says with how many copies at least.
  void acked(const SendAck& ack, const ClientName& client, Op op, unsigned copies_least);
  /// A node calls a subscription or a history page complete: `cursor` covers all that was acknowledged before `begun`.
  /// `who` answered and was told: for the word on what is missing.
  void complete(const std::string& who, const Channel& channel, const Cursor& cursor, SimUs begun);
  void disk_lost() {
    last_disk_loss_ = agenda_.now();
  }

  // ---- what may be hurt ---------------------------------------------------------------------------------------------

  /// True when that node's disk can be lost without the loss of anything that must survive any one loss.
  bool expendable(NodeIndex node) const;
  /// True when another disk has an intact copy of that record.
  bool elsewhere(NodeIndex node, const Channel& channel, const Origin& origin, Seq seq) const;

  // ---- the verdict --------------------------------------------------------------------------------------------------

  struct Violation {
    SimUs at = 0;
    Channel channel;    ///< empty: concerns none, or all
    std::string text;   ///< names nodes, clients, strokes (origin:seq) and ops (client/op) that it concerns
    std::string topic;  ///< only what is said with this word concerns it; empty: all
  };
  /// Only the first counts: what follows may follow from it.
  void violation(const Channel& channel, const std::string& text, const std::string& topic = {});
  const std::optional<Violation>& first_violation() const {
    return violation_;
  }
  /// The strokes that its words name, by origin:seq or by client/op.
  std::vector<std::pair<Origin, Seq>> concerned() const;

  // ---- for the end --------------------------------------------------------------------------------------------------

  struct Acked {
    SimUs at = 0;
    Origin origin;
    Seq seq = 0;
  };
  struct ChannelTruth {
    std::map<std::pair<ClientName, Op>, std::string> sent;
    std::map<Origin, std::vector<StrokePtr>, std::less<>> strokes;  ///< by seq - 1; nullptr: never told
    std::vector<Acked> acked;                                       ///< in order of time
  };
  const std::map<Channel, ChannelTruth>& channels() const {
    return channels_;
  }
  /// For each origin the last seq that any disk holds.
  Cursor stored(const Channel& channel) const;
  std::uint64_t acks() const {
    return acks_;
  }

 private:
  bool same(const Stroke& a, const Stroke& b) const;
  void check_new(const ChannelTruth& truth, const Stroke& stroke);
  unsigned copies(const Channel& channel, const Origin& origin, Seq seq) const;

  const Agenda& agenda_;
  const Options& options_;
  std::vector<const store::MemoryStore*> disks_;
  std::map<Channel, ChannelTruth> channels_;
  std::optional<SimUs> last_disk_loss_;
  std::optional<Violation> violation_;
  std::uint64_t acks_ = 0;
};

}  // namespace inkmesh::sim
