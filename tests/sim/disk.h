// A simulated node's store threads around its MemoryStore: group commit by the rules of store::Committer, reads on
// snapshots, and what a crash leaves of a commit under way.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agenda.h"
#include "inkmesh/effect.h"
#include "inkmesh/event.h"
#include "options.h"
#include "random.h"
#include "store/memory_store.h"

namespace inkmesh::sim {

/// The threads of one life of a node; the store outlives it.
class Disk {
 public:
  struct Ports {
    std::function<void(Event&&)> answer;
    std::function<void(const Append&)> stored;  ///< a group is on disk; nobody has been told
    std::function<void(const std::string&)> fatal;
  };
  Disk(Agenda& agenda, Random random, const Options& options, store::MemoryStore& store, Ports ports);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  void submit(Append&& append);
  void submit(Repair&& repair);
  void submit(const Note& note);
  void submit(const Read& read);
  void submit(const FindSince& find);
  void submit(const FindOp& find);

  /// The process ends: a commit under way has happened or not, what waited is gone. No answer comes after it.
  void crash();
  /// Since then something that it was given waited for longer than kSlowUs, and with asynchronous commits for longer
  /// than that past their interval; or has waited so long so far.
  bool slow_since(SimUs since) const;
  /// Looks at the store's fill and tells when it went over or under the mark.
  void check_fill();

 private:
  using Write = std::variant<Append, Repair, Note>;
  static constexpr SimUs kSlowUs = 100_ms;

  bool refused(const Append& append) const {
    return failure_ && append.generation <= failure_->generation;
  }
  void submit(Write&& write);
  bool slow(SimUs given_at) const;
  void start();
  void take_group();
  void commit();
  void commit_appends(const std::vector<Write>& group);
  void answer_later(Event&& event);
  void read_later(std::function<Event()> look);
  SimUs commit_delay();

  Agenda& agenda_;
  Random random_;
  const Options& options_;
  store::MemoryStore& store_;
  const Ports ports_;
  /// Tells actions that outlive this life.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  struct Failure {
    std::uint64_t generation = 0;
    AppendError error = AppendError::full;
  };
  std::deque<Write> waiting_;
  std::deque<SimUs> given_at_;  ///< when those that wait or are under way were given to it
  SimUs slow_until_ = 0;
  std::vector<Write> group_;  ///< under way
  bool busy_ = false;
  std::optional<Failure> failure_;
  bool refusing_ = false;
  SimUs last_commit_ = 0;
  SimUs last_answer_ = 0;
  SimUs last_read_ = 0;
};

}  // namespace inkmesh::sim
