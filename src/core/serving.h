// Answers to peers out of the store: pulls, fetches, questions after ops.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/anti_entropy.h"
#include "core/links.h"
#include "core/log.h"
#include "core/turn.h"

namespace inkmesh::core {

class Serving {
 public:
  Serving(Turn& turn, const ClusterMap& cluster, Log& log, Links& links, const AntiEntropy& anti_entropy,
          std::size_t waiting_max)
      : turn_(turn),
        log_(log),
        links_(links),
        anti_entropy_(anti_entropy),
        waiting_max_(waiting_max),
        peers_(cluster.size()) {}

  void on_pull(NodeIx peer, Pull pull);
  void on_fetch(NodeIx peer, const Fetch& fetch);
  void on_op_ask(NodeIx peer, const OpAsk& ask);

  /// The channel that was read; nothing when the ticket is not one of these.
  std::optional<Channel> on_read(const ReadDone& done);
  /// False when the ticket is not one of these.
  bool on_op_found(const OpFound& found);
  /// Strokes that had only a number are stored now, or lost it: questions after them are answered.
  void store_answered();

  bool reading() const {
    return !reads_.empty();
  }

  /// What the peer asked for is of no use to it any more.
  void forget(NodeIx peer);

 private:
  /// Reads under way for one peer; further pulls wait, and past their bound are dropped: the asker's clock asks again.
  static constexpr std::size_t kReadsMax = 16;
  static constexpr std::size_t kRunBytes = std::size_t{256} << 10;

  struct Asked {
    NodeIx peer = 0;
    std::uint32_t generation = 0;
    Pull pull;
    bool repair = false;
    Seq first = 0;
  };
  struct AskedOp {
    NodeIx peer = 0;
    std::uint64_t request = 0;
  };
  struct Peer {
    std::size_t reads = 0;
    std::uint32_t generation = 0;
    std::list<Pull> waiting;
  };

  void read(NodeIx peer, Pull pull);
  void send_runs(NodeIx peer, const Strokes& strokes, bool repair);

  Turn& turn_;
  Log& log_;
  Links& links_;
  const AntiEntropy& anti_entropy_;
  const std::size_t waiting_max_;
  std::vector<Peer> peers_;
  std::map<Ticket, Asked> reads_;
  std::map<Ticket, AskedOp> ops_;
  /// After strokes of ours that the store may still refuse. As many as a peer asks at once: a few thousand.
  std::vector<std::pair<NodeIx, OpAsk>> numbered_;
};

}  // namespace inkmesh::core
