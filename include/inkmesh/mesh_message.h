// What nodes say to each other. Plain values: wire/mesh_codec turns them into bytes and back.
//
// Two roads. Gossip goes from one to all over PUB/SUB, which may drop: only what can be repaired travels on it. Frames
// go from one node to one peer over DEALER/ROUTER; a frame holds the messages of one turn. A lost frame is never
// resent: the receiver sees the gap in the numbers, and everything is resumed from what the receiver says it holds.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "inkmesh/cursor.h"
#include "inkmesh/stroke.h"
#include "inkmesh/types.h"

namespace inkmesh {

// ---- gossip -------------------------------------------------------------------------------------------------------

/// Two lives of one node of which both may go on. Each that does says so to whoever tells of it, with StillHere.
struct TwinLives {
  NodeId node;
  Epoch heard;  ///< the teller listens to this one
  Epoch other;
  std::string heard_address;  ///< where it speaks from, as the teller sees it; empty: not known
  std::string other_address;
  bool both = false;         ///< both have said so of late: two processes run as that node
  bool other_later = false;  ///< the other one was started later
};

/// Every 500 ms from each node.
struct Heartbeat {
  std::uint64_t list_generation = 0;   ///< hash of the node list, replicas and ack
  std::uint64_t interest_version = 0;  ///< 0: nothing was ever opened
  std::uint64_t interest_digest = 0;   ///< xor of the mixed hashes of the set
  std::uint32_t connections = 0;       ///< load
  TimeUs wall_us = 0;
  bool full = false;   ///< its store takes nothing more: others stand in for it
  bool ready = false;  ///< it takes clients
  /// Its store may have lost what it once acknowledged: its word that it has all counts for nothing.
  bool hollow = true;
  std::vector<TwinLives> twins = {};  ///< at most kTwinLivesMax
};
constexpr std::size_t kTwinLivesMax = 8;

/// Interest version `from` to `from + 1`.
struct InterestDelta {
  std::uint64_t from = 0;
  std::vector<std::uint64_t> opened;  ///< channel hashes
  std::vector<std::uint64_t> closed;
};

struct GossipMessage {
  NodeId node;
  Epoch epoch;
  std::variant<Heartbeat, InterestDelta> body;
};

// ---- links: interest ----------------------------------------------------------------------------------------------

struct InterestWant {};

struct InterestFull {
  std::uint64_t version = 0;
  std::vector<std::uint64_t> channels;
};

// ---- links: strokes -----------------------------------------------------------------------------------------------

/// Strokes of one channel and one origin in sequence, without gaps. Sent live by their origin, or in answer to a Pull.
struct StrokeRun {
  /// At least one, of one channel and one origin; seqs consecutive.
  Strokes strokes;
  /// An answer to Fetch: replaces a damaged record that the receiver already counts in its head.
  bool repair = false;

  const Channel& channel() const {
    return strokes.front()->channel;
  }
  const Origin& origin() const {
    return strokes.front()->origin;
  }
};

/// "I have committed every stroke of this origin up to seq": sent to whoever handed the strokes over or asked.
struct Stored {
  struct Entry {
    Channel channel;
    Origin origin;
    Seq seq = 0;
  };
  std::vector<Entry> entries;
};

/// Asks for what lies past a cursor. Answered by StrokeRuns of at most kPullBytesMax and one PullDone.
struct Pull {
  std::uint64_t request = 0;
  Channel channel;
  Cursor cursor;
  bool interested = false;  ///< the asker has just opened the channel: count it as interested from now on
};

struct PullDone {
  std::uint64_t request = 0;
  Channel channel;
  Cursor heads;           ///< what the answerer has committed
  bool more = false;      ///< ask again with the cursor that you have then
  bool complete = false;  ///< the answerer is a settled home of the channel
};

/// Heads that moved since the last tick, by a channel's homes and by the strokes' origins, to interested peers.
struct Heads {
  struct Entry {
    Channel channel;
    Cursor heads;
  };
  std::vector<Entry> entries;
};

/// Asks for one origin's strokes first..last again, whose records here are damaged.
struct Fetch {
  Channel channel;
  Origin origin;
  Seq first = 0;
  Seq last = 0;
};

/// Asks for Stored entries of every origin of the channel.
struct StoredWant {
  Channel channel;
};

/// The receiver could not store: its map is full. The sender looks for a stand-in.
struct StoreFull {};

// ---- links: anti-entropy ------------------------------------------------------------------------------------------

/// A node of the hash tree over a holder's channels that have the receiver as a home. The tree is over channel_hash:
/// `depth` leading nibbles, 0 to 16, given by the high bits of `prefix` (the rest 0).
struct DigestNode {
  std::uint8_t depth = 0;
  std::uint64_t prefix = 0;
  std::uint64_t hash = 0;
};

/// From a holder to a home.
struct Digest {
  std::uint64_t round = 0;
  std::vector<DigestNode> nodes;
};

/// The home's word on those nodes that differ: the 16 children of each. Empty: all are equal.
struct DigestReply {
  std::uint64_t round = 0;
  std::vector<DigestNode> children;
};

/// From a holder to a home: "this is what I hold". The home pulls what it lacks and says Stored for what it has.
struct Offer {
  struct Head {
    Origin origin;
    Seq seq = 0;
    std::uint64_t chain = 0;  ///< running hash at that seq
  };
  struct Entry {
    Channel channel;
    std::vector<Head> heads;
  };
  std::vector<Entry> entries;
};

/// From a home to every peer after its start, the peer's, or a broken link: "say when all that you hold now is here".
struct SettleAsk {
  std::uint64_t token = 0;
  Epoch knew;  ///< the receiver's life before this one, as far as the asker has heard of it; empty: it has not
  /// The asker's store may have lost what it acknowledged: "say when all that you hold now is at all of its homes".
  bool hollow = false;
};
struct SettleDone {
  std::uint64_t token = 0;
};

// ---- links: duplicates --------------------------------------------------------------------------------------------

struct OpAsk {
  std::uint64_t request = 0;
  Channel channel;
  ClientName client;
  Op op = 0;
};

struct OpAnswer {
  std::uint64_t request = 0;
  bool found = false;
  Origin origin;
  Seq seq = 0;
  TimeUs ts = 0;
  std::uint64_t data_hash = 0;
};

// ---- links: signals and presence ----------------------------------------------------------------------------------

struct SignalMessage {
  Channel channel;
  ClientName client;
  std::string data;
};

struct PresenceEntry {
  ConnId conn = 0;
  ClientName client;
};

/// The sender's whole set for a channel, at a version.
struct PresenceFull {
  Channel channel;
  std::uint64_t version = 0;
  std::vector<PresenceEntry> present;
};

/// Version `from` to `from + 1`.
struct PresenceDelta {
  Channel channel;
  std::uint64_t from = 0;
  std::vector<PresenceEntry> joined;
  std::vector<ConnId> left;
};

struct PresenceWant {
  Channel channel;
};

// ---- links: two processes under one id ------------------------------------------------------------------------------

/// To whoever is found at a node's address: which of these lives is that?
struct WhoIsThere {
  Epoch heard;
  Epoch other;
};

/// From a process that was told of another one under its id. It names the other: so it was sent after that was heard
/// of.
struct StillHere {
  Epoch other;
  bool reached = false;     ///< the answer to WhoIsThere: frames for the node reach this process
  std::uint64_t up_ms = 0;  ///< since its start
};

using LinkMessage =
    std::variant<InterestWant, InterestFull, StrokeRun, Stored, Pull, PullDone, Heads, Fetch, StoredWant, StoreFull,
                 Digest, DigestReply, Offer, SettleAsk, SettleDone, OpAsk, OpAnswer, SignalMessage, PresenceFull,
                 PresenceDelta, PresenceWant, WhoIsThere, StillHere>;

/// All that one node has to say to one peer in one turn.
struct Frame {
  NodeId node;                ///< the sender
  Epoch epoch;                ///< the sender's
  std::uint64_t session = 0;  ///< drawn anew whenever the sender starts over on this link
  std::uint64_t number = 0;   ///< from 1 in each session, without gaps as sent
  std::vector<LinkMessage> messages;
};

/// Bounds of a frame: what a codec accepts, and what the core keeps to.
constexpr std::size_t kLinkFrameBytesMax = std::size_t{4} << 20;
constexpr std::size_t kPullBytesMax = std::size_t{512} << 10;
constexpr std::size_t kInterestChannelsMax = 400'000;

}  // namespace inkmesh
