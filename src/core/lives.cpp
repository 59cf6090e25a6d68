#include "core/lives.h"

#include <algorithm>

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

}  // namespace

Lives::Lives(Turn& turn, const ClusterMap& cluster, const std::map<std::string, std::string>& notes, const Epoch& epoch)
    : turn_(turn), cluster_(cluster), lives_(find(notes, kLives)), former_(cluster.size()) {
  for (NodeIx node = 0; node < cluster_.size(); ++node)
    present_.push_back(find(notes, kMet + cluster_.id(node)));
  const std::string whole = find(notes, kWholeNote);
  whole_ =
      whole == std::to_string(cluster_.generation()) || (mutated(Mutation::keep_mark_of_old_list) && !whole.empty());
  if (lives_.size() >= kEpochBytes) {
    last_ = make_origin(cluster_.id(cluster_.self()), lives_.substr(lives_.size() - kEpochBytes));
  }
  lives_ += epoch;
  if (lives_.size() > kLivesBytesMax) lives_.erase(0, lives_.size() - kLivesBytesMax);
}

void Lives::begin() {
  turn_.emit(Note{kLives, lives_});
  if (whole_) return;
  turn_.say(
      Severity::warning,
      "the store is new, was lost or put back, or the node list has changed: nothing is called complete on its word "
      "until every node was met");
}

void Lives::note_whole(bool whole) {
  whole_ = whole;
  turn_.emit(Note{kWholeNote, whole ? std::to_string(cluster_.generation()) : std::string{}});
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
