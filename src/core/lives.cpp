#include "core/lives.h"

#include <algorithm>
#include <cstdint>

#include "core/mutation.h"
#include "inkmesh/effect.h"
#include "inkmesh/stroke.h"

namespace inkmesh::core {
namespace {

const std::string kLives = "lives";
const std::string kMet = "met ";

/// Far more than a peer can be behind: it names the last one that it met.
constexpr std::size_t kLivesBytesMax = kNoteBytesMax / kEpochBytes * kEpochBytes;

std::string find(const std::map<std::string, std::string>& notes, const std::string& name) {
  const auto it = notes.find(name);
  return it == notes.end() ? std::string{} : it->second;
}

/// What a store's mark says. Only a mark of this list makes it whole.
std::optional<HollowBecause> read_mark(const std::map<std::string, std::string>& notes, std::uint64_t generation) {
  const auto mark = notes.find(kWholeNote);
  if (mark == notes.end()) return HollowBecause::new_or_lost;
  if (mark->second == std::to_string(generation)) return std::nullopt;
  const bool of_a_list = !mark->second.empty() && mark->second.find_first_not_of("0123456789") == std::string::npos;
  if (!of_a_list) return hollow_because(mark->second);
  if (mutated(Mutation::keep_mark_of_old_list)) return std::nullopt;
  return HollowBecause::other_list;
}

/// It says what happened to the store, and not only that it is not whole.
bool tells_how(HollowBecause because) {
  return because != HollowBecause::new_or_lost && because != HollowBecause::other_list &&
         because != HollowBecause::unknown;
}

const char* text_of(HollowBecause because) {
  switch (because) {
    case HollowBecause::new_or_lost:
      return "the store is new, or was lost, which it cannot tell apart";
    case HollowBecause::other_list:
      return "the node list, replicas or ack have changed since the store was whole";
    case HollowBecause::restored:
      return "the store was put back from a backup (--restored)";
    case HollowBecause::copied:
      return "the store is a copy of the one that was: a backup was put back, or the folder was moved";
    case HollowBecause::lost_records:
      return "the store has lost records";
    case HollowBecause::lost_life:
      return "the store was lost or put back: a peer had met a life of this node of which it had no trace";
    case HollowBecause::set_back:
      return "the store was set back: a peer had strokes of this node's last life that it lacked";
    case HollowBecause::twin:
      return "another process ran as this node, and the store may lack what that one confirmed";
    case HollowBecause::unknown:
      break;
  }
  return "the store is marked as not whole, by a release that did not say why";
}

}  // namespace

Lives::Lives(Turn& turn, const ClusterMap& cluster, const std::map<std::string, std::string>& notes, const Epoch& epoch)
    : turn_(turn), cluster_(cluster), lives_(find(notes, kLives)), former_(cluster.size()) {
  for (NodeIx node = 0; node < cluster_.size(); ++node)
    present_.push_back(find(notes, kMet + cluster_.id(node)));
  hollow_ = read_mark(notes, cluster_.generation());
  if (lives_.size() >= kEpochBytes) {
    last_ = make_origin(cluster_.id(cluster_.self()), lives_.substr(lives_.size() - kEpochBytes));
  }
  lives_ += epoch;
  if (lives_.size() > kLivesBytesMax) lives_.erase(0, lives_.size() - kLivesBytesMax);
}

void Lives::begin() {
  turn_.emit(Note{kLives, lives_});
  if (!hollow_) return;
  turn_.say(Severity::warning,
            std::string(text_of(*hollow_)) + ": nothing is called complete on its word until every node was met");
}

void Lives::note_whole() {
  hollow_.reset();
  turn_.emit(Note{kWholeNote, std::to_string(cluster_.generation())});
}

void Lives::note_hollow(HollowBecause because) {
  // Peers notice what the operator or the store has told already.
  if (!hollow_ || !tells_how(*hollow_)) hollow_ = because;
  turn_.emit(Note{kWholeNote, std::string(name_of(*hollow_))});
}

void Lives::met(NodeIx peer, const Epoch& epoch) {
  if (present_[peer] == epoch) return;
  former_[peer] = present_[peer];
  present_[peer] = epoch;
  turn_.emit(Note{kMet + cluster_.id(peer), epoch});
}

bool Lives::lacks(const Epoch& life) {
  if (life.empty()) return false;
  for (std::size_t at = 0; at < lives_.size(); at += kEpochBytes) {
    if (lives_.compare(at, kEpochBytes, life) == 0) return false;
  }
  lives_.insert(lives_.size() - kEpochBytes, life);
  turn_.emit(Note{kLives, lives_.substr(lives_.size() - std::min(lives_.size(), kLivesBytesMax))});
  return true;
}

bool Lives::set_back_within(const Origin& origin) {
  if (last_.empty() || origin != last_) return false;
  last_.clear();
  return true;
}

}  // namespace inkmesh::core
