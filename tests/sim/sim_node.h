// One simulated node: the shipped core, a disk, connections, clocks; turns as the node's loop takes them.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ack_watch.h"
#include "agenda.h"
#include "checker.h"
#include "disk.h"
#include "edge.h"
#include "inkmesh/core.h"
#include "network.h"
#include "options.h"
#include "random.h"
#include "store/memory_store.h"
#include "trace.h"

namespace inkmesh::sim {

/// Looks on while nodes take turns, without a say in them.
class TurnWatch {
 public:
  virtual ~TurnWatch() = default;
  /// The core takes these next.
  virtual void begins(NodeIndex node, const std::vector<Event>& events) = 0;
  /// It has; nothing of this is carried out yet.
  virtual void ended(NodeIndex node, const Effects& effects) = 0;
};

class SimNode {
 public:
  /// What all nodes share.
  struct Wiring {
    Agenda& agenda;
    Trace& trace;
    Checker& checker;
    Network& network;
    const Options& options;
    const std::vector<NodeId>& ids;
    AckWatch& ack_watch;
  };
  SimNode(const Wiring& wiring, NodeIndex index, Random random);

  const NodeId& id() const {
    return wiring_.ids[index_];
  }
  bool up() const {
    return core_ != nullptr;
  }
  /// Counts its starts.
  unsigned life() const {
    return life_;
  }
  Origin origin() const {
    return make_origin(id(), epoch_);
  }
  /// Only while up.
  const Core& core() const {
    return *core_;
  }
  store::MemoryStore& store() {
    return store_;
  }
  const store::MemoryStore& store() const {
    return store_;
  }
  /// Only while up.
  Edge& edge() {
    return edge_;
  }
  const Edge& edge() const {
    return edge_;
  }

  // ---- what it has given to others, and has no answer to ------------------------------------------------------------

  /// Publishes that the core was given and has not answered.
  std::size_t publishing() const {
    return publishing_.size();
  }
  /// Strokes that the store was given, in bytes.
  std::uint64_t storing_bytes() const {
    return storing_bytes_;
  }
  /// Reads that the store was given: their channels.
  const std::map<Ticket, Channel>& reading() const {
    return reading_;
  }

  /// The node list of its next lives; all nodes until it is set.
  void set_list(std::vector<NodeId> list) {
    list_ = std::move(list);
  }
  /// Of its next lives; the options' until they are set.
  void set_copies(unsigned replicas, unsigned ack) {
    copies_ = {replicas, ack};
  }
  /// Not installed yet, or not any more: it does not start.
  void set_absent(bool absent) {
    absent_ = absent;
  }

  /// A new life on what the disk holds. Nothing when it is up, or absent.
  void start();
  /// The process ends now. `machine`: its machine vanishes too, which others notice later.
  void crash(bool machine);

  /// Must outlive the node's turns.
  void set_watch(TurnWatch& watch) {
    watch_ = &watch;
  }
  /// The node is down and nobody hears of it: for looking at what its core held. The world can't go on after this.
  std::unique_ptr<Core> take_core() {
    ++life_;
    return std::move(core_);
  }

  /// An event for the next turn; dropped when the node is down.
  void feed(Event&& event);

  // ---- health -----------------------------------------------------------------------------------------------------

  /// From then until now it was up, in one life, and nothing was wrong with it: see AckWatch.
  bool well_since(SimUs since) const;
  /// Something is wrong with it at this moment.
  void ail() {
    ailed_at_ = wiring_.agenda.now();
  }
  /// Both are up with the same node list, replicas and ack.
  bool same_list(const SimNode& other) const {
    return up() && other.up() && running_list_ == other.running_list_ && running_copies_ == other.running_copies_;
  }
  /// The copies without which it acknowledges nothing, in this life.
  unsigned ack() const {
    return running_copies_.second;
  }

  // ---- faults -----------------------------------------------------------------------------------------------------

  /// Takes no turn until then.
  void pause(SimUs until) {
    paused_until_ = std::max(paused_until_, until);
    ailed_at_ = std::max(ailed_at_, paused_until_);
  }
  /// Crashes in the middle of carrying out effects, after so many.
  void crash_after_effects(std::uint64_t effects) {
    effects_until_crash_ = effects;
  }
  /// Crashes when a commit has reached the disk and nobody has been told.
  void crash_at_commit() {
    crash_at_commit_ = true;
  }
  /// None of the two.
  void disarm() {
    effects_until_crash_ = std::numeric_limits<std::uint64_t>::max();
    crash_at_commit_ = false;
  }
  void set_clock_offset(std::int64_t ms) {
    clock_offset_us_ = ms * 1000;
    ail();
  }
  /// Looks at the store's fill, after it was resized.
  void check_fill();

  /// Told after a crash of any kind.
  std::function<void()> on_crash;

 private:
  Now now() const;
  void schedule_turn();
  void schedule_tick();
  void take_turn();
  void note_health(const Event& event, SimUs fed_at);
  void note_answer(const Event& event);
  /// False when an invariant of the core broke: then it can't go on.
  bool step_all(std::vector<Event>&& events, const Now& moment, Effects& effects);
  void check_bounds();
  void step(Event&& event);
  void carry_out(Effects& effects);
  void carry_out(Effect& effect);
  void note(const Effect& effect);
  void mix(const Effect& effect);
  void check(const Effect& effect);
  void record(const Channel& channel, const std::string& text);
  void stored(const Append& append);

  const Wiring wiring_;
  const NodeIndex index_;
  Random random_;
  std::vector<NodeId> list_;
  std::pair<unsigned, unsigned> copies_;  ///< replicas and ack
  bool absent_ = false;
  TurnWatch* watch_ = nullptr;
  store::MemoryStore store_;
  Edge edge_;
  std::unique_ptr<Core> core_;
  std::unique_ptr<Disk> disk_;
  /// Of former lives: actions under way may still look at them.
  unsigned life_ = 0;
  Epoch epoch_;
  std::vector<NodeId> running_list_;  ///< of this life
  std::pair<unsigned, unsigned> running_copies_;
  SimUs ailed_at_ = 0;
  bool store_high_ = false;  ///< the core was told that its store is nearly full
  std::vector<Event> inbox_;
  std::vector<SimUs> fed_at_;  ///< beside inbox_
  bool turn_set_ = false;
  SimUs tick_at_ = 0;
  SimUs paused_until_ = 0;
  std::int64_t clock_offset_us_ = 0;
  MonotonicMs monotonic_base_ms_ = 0;
  std::uint64_t effects_until_crash_ = std::numeric_limits<std::uint64_t>::max();
  bool crash_at_commit_ = false;

  struct Begun {
    SimUs at = 0;
    bool whole = false;  ///< from the beginning or a cursor
  };
  std::map<std::pair<ConnId, Channel>, Begun> begun_;
  std::map<std::pair<ConnId, RequestId>, std::pair<ClientName, Op>> publishing_;
  std::map<Ticket, std::uint64_t> storing_;
  std::uint64_t storing_bytes_ = 0;
  std::map<Ticket, Channel> reading_;
  SimUs bounds_at_ = 0;  ///< when they are looked at next
};

}  // namespace inkmesh::sim
