// Why a node's store does not count as whole, and how that is noted with the store.
#pragma once

#include <string_view>

namespace inkmesh {

/// Until it has been compared with every other node, a hollow one's own word counts for nothing. Why it is hollow
/// changes nothing in that: it is for the operator.
enum class HollowBecause {
  new_or_lost,   ///< it bears no mark: it is new, or what was here before it is gone
  other_list,    ///< it was whole with another node list, replicas or ack: homes have moved since
  restored,      ///< the operator says that a backup was put back
  copied,        ///< it is a copy of the store that was: it lacks what came after
  lost_records,  ///< it has lost some of what it held
  lost_life,     ///< a peer has met a life of this node of which it has no trace: it was lost or put back
  set_back,      ///< a peer has strokes of this node's last life that it lacks
  twin,          ///< a peer has met another process that ran as this node: what that one may have confirmed is lacking
  unknown,       ///< its mark says that it is not whole, and not why: another release wrote it
};

/// As it stands in the mark and in /status: `lost_records`.
std::string_view name_of(HollowBecause because);

/// What a mark says that names no node list: its text is a name of above, or anything at all.
HollowBecause hollow_because(std::string_view mark);

}  // namespace inkmesh
