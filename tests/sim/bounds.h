// Memory and queues within their bounds: those of CoreLimits, and the protocol's.
//
// While a run goes on, looked at in every node twice a second and at every send:
//   - a connection has at most `outbox_bytes` unsent, and three strokes: each of three reads at once may end with one
//     that goes past its share;
//   - of what the store has, at most 64 strokes of each origin in each channel are in memory (`Log::kTailStrokes`);
//   - nobody waits for an ack who has not asked for one in this life of the node;
//   - what `CoreLimits` bounds is within its bound: authors who wait, retries that are held, pulls, hints, pages,
//     damaged records that are asked for, what is under way to a peer (or a single turn's strokes). Some seeds draw
//     limits that a few clients fill;
//   - subscribers, peers and pages read the store at most so many times at once as sessions.h, serving.h, history.h
//   say.
// At the end, when all has come together and been quiet for a while, nothing is left of any of it: what is never let
// go of shows there, however small a run is.
#pragma once

#include <string>

#include "sim_node.h"

namespace inkmesh::sim {

/// What there is too much of, and in which channel: empty when it concerns none, or all.
struct Excess {
  std::string text;  ///< empty: nothing
  Channel channel;
  std::string topic;  ///< see Checker::Violation
};

/// What exceeds its bound.
Excess past_bounds(SimNode& node, const Options& options);

/// What should be gone by now. A peer that is gone for good is waited for; so is a stroke that a lost
/// disk or an asynchronous node has lost before its author's retry was numbered anew.
Excess left_over(const SimNode& node, const Options& options);

}  // namespace inkmesh::sim
