// Everything that can happen to the core.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "inkmesh/cursor.h"
#include "inkmesh/mesh_message.h"
#include "inkmesh/stroke.h"
#include "inkmesh/types.h"

namespace inkmesh {

// ---- from clients (the edge has parsed and checked them) ------------------------------------------------------------

struct ConnOpened {
  ConnId conn = 0;
  ClientName client;
};

/// The last event of a connection.
struct ConnClosed {
  ConnId conn = 0;
};

/// Frames of that cost (as the effects that made them said) have left the connection's outbox.
struct Written {
  ConnId conn = 0;
  std::size_t cost = 0;
};

/// Where a subscription or a history page begins.
struct StartAt {
  enum class Kind { full, cursor, since, live } kind = Kind::full;
  Cursor cursor;     ///< Kind::cursor
  TimeUs since = 0;  ///< Kind::since
};

struct Subscribe {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
  StartAt start;
};

struct Unsubscribe {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
};

/// What a store knows of a (channel, client, op).
struct KnownOp {
  Origin origin;
  Seq seq = 0;
  TimeUs ts = 0;
  std::uint64_t data_hash = 0;
};

struct Publish {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
  ClientName client;
  Op op = 0;
  std::string data;
  bool retry = false;
  /// What the store has committed of this (channel, client, op), looked up on the core's thread just before the step.
  /// What is pending, the core knows by itself.
  std::optional<KnownOp> known;
};

struct SignalSent {
  ConnId conn = 0;
  Channel channel;
  ClientName client;
  std::string data;
};

struct PresenceAsk {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
};

/// GET /channels/{channel}/strokes. Answered by one HistoryPage.
struct HistoryAsk {
  ConnId conn = 0;
  Channel channel;
  StartAt start;  ///< Kind::full, cursor or since
};

// ---- from the store -------------------------------------------------------------------------------------------------

/// An Append (or Repair) is on disk.
struct Committed {
  Ticket ticket = 0;
};

enum class AppendError {
  full,    ///< the map or the disk is full: nothing of it was stored
  failed,  ///< any other refusal; nothing of it was stored
};

struct AppendFailed {
  Ticket ticket = 0;
  AppendError error = AppendError::failed;
};

/// What a Read found, in order of (origin, seq), each origin from just past the read's cursor, without gaps.
struct ReadDone {
  Ticket ticket = 0;
  Strokes strokes;
  bool more = false;  ///< a limit was met: there may be more past these
  /// A record whose checksum is wrong: the strokes of its origin end just before it.
  struct Damaged {
    Origin origin;
    Seq seq = 0;
  };
  std::vector<Damaged> damaged;
};

/// Answer to FindSince: for each origin the seq just before its first stroke whose ts is at or past the asked one.
struct SinceFound {
  Ticket ticket = 0;
  Cursor before;
};

/// Answer to FindOp.
struct OpFound {
  Ticket ticket = 0;
  std::optional<KnownOp> known;
};

/// The store's fill went over or under the mark past which publishes are refused (90 %).
struct StoreFill {
  bool refuse_publishes = false;
};

// ---- from the mesh --------------------------------------------------------------------------------------------------

struct GossipReceived {
  GossipMessage message;
};

struct FrameReceived {
  Frame frame;
  std::string address = {};  ///< where it came from; empty: not known
};

/// A peer said something in another version of the mesh's language.
struct OtherVersion {
  NodeId peer;
  std::uint8_t version = 0;
};

/// The link to a peer has finished its handshake: frames sent from now on can arrive.
struct PeerConnected {
  NodeId peer;
};

/// The link to a peer was lost, or a frame could not be queued: what was sent may not have arrived.
struct PeerDisconnected {
  NodeId peer;
};

// ---- time and the end -----------------------------------------------------------------------------------------------

/// Due whenever next_wakeup() has come.
struct Tick {};

/// The node is about to stop: it stops being ready. What is pending goes on.
struct Drain {};

using Event = std::variant<ConnOpened, ConnClosed, Written, Subscribe, Unsubscribe, Publish, SignalSent, PresenceAsk,
                           HistoryAsk, Committed, AppendFailed, ReadDone, SinceFound, OpFound, StoreFill,
                           GossipReceived, FrameReceived, OtherVersion, PeerConnected, PeerDisconnected, Tick, Drain>;

}  // namespace inkmesh
