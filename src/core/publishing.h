// A publish's way in: refused, known already, held until those who may know it have answered, or numbered.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/acks.h"
#include "core/log.h"
#include "core/membership.h"
#include "core/replication.h"
#include "core/retries.h"
#include "core/sessions.h"
#include "core/sync.h"
#include "core/turn.h"
#include "core/twins.h"
#include "inkmesh/event.h"

namespace inkmesh::core {

class Publishing {
 public:
  Publishing(Turn& turn, Log& log, const Membership& membership, const Twins& twins, Sync& sync, Acks& acks,
             Retries& retries, Replication& replication, Sessions& sessions)
      : turn_(turn),
        log_(log),
        membership_(membership),
        twins_(twins),
        sync_(sync),
        acks_(acks),
        retries_(retries),
        replication_(replication),
        sessions_(sessions) {}

  void publish(Publish publish);

  /// A peer's word on a held retry.
  void on_op_answer(NodeIx peer, const OpAnswer& answer);
  /// False when the ticket is not one of these.
  bool on_op_found(const OpFound& found);
  void tick();

  /// The store is so full that it takes no more publishes.
  void refuse_for_space(bool refuse) {
    no_space_ = refuse;
  }
  /// An append failed for want of room: refuse for a while rather than to fail each.
  void refuse_for_space_until(MonotonicMs until_ms) {
    no_space_until_ms_ = until_ms;
  }
  bool out_of_space() const {
    return turn_.ms() < no_space_until_ms_;
  }
  void drain() {
    draining_ = true;
  }
  bool draining() const {
    return draining_;
  }

  std::uint64_t accepted() const {
    return accepted_;
  }
  std::uint64_t duplicates() const {
    return duplicates_;
  }

 private:
  bool refuse(const Publish& publish);
  bool answer_known(ChannelLog& log, const Publish& publish, const std::optional<KnownOp>& known);
  void release(Retries::Released released);
  void number(ChannelLog& log, Publish& publish);

  Turn& turn_;
  Log& log_;
  const Membership& membership_;
  const Twins& twins_;
  Sync& sync_;
  Acks& acks_;
  Retries& retries_;
  Replication& replication_;
  Sessions& sessions_;
  std::map<Ticket, std::vector<Publish>> looked_up_;  ///< released retries, before they are numbered
  bool no_space_ = false;
  MonotonicMs no_space_until_ms_ = 0;
  bool draining_ = false;
  std::uint64_t accepted_ = 0;
  std::uint64_t duplicates_ = 0;
};

}  // namespace inkmesh::core
