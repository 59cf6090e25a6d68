// Everything the core can ask for. The caller carries effects out in their order; none may be dropped, save where said.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "inkmesh/cursor.h"
#include "inkmesh/event.h"
#include "inkmesh/mesh_message.h"
#include "inkmesh/stroke.h"
#include "inkmesh/types.h"

namespace inkmesh {

/// Connections that get the same frame, in ascending order. Shared: the core reuses it while nobody joins or leaves.
using Recipients = std::shared_ptr<const std::vector<ConnId>>;

// ---- to clients -----------------------------------------------------------------------------------------------------

enum class Mode { delta, full, since, live };

struct SendSubscribed {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
  Mode mode = Mode::full;
  Cursor cursor;
};

struct SendLive {
  ConnId conn = 0;
  Channel channel;
  Cursor cursor;
  bool complete = false;
};

struct SendUnsubscribed {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
};

/// Strokes of one channel, in order, to every recipient. The edge reports `cost` back with Written for each of them.
struct DeliverStrokes {
  Recipients to;
  Strokes strokes;
  std::size_t cost = 0;
};

struct DeliverSignal {
  Recipients to;
  Channel channel;
  ClientName client;
  std::string data;
  std::size_t cost = 0;
};

struct SendAck {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
  Origin origin;
  Seq seq = 0;
  TimeUs ts = 0;
  unsigned copies = 0;
  bool duplicate = false;
};

enum class ErrorCode {
  bad_message,
  bad_channel,
  too_large,
  rate_limited,
  forbidden,
  unauthorized,
  not_subscribed,
  too_many_channels,
  storage_full,
  op_reused,
  unavailable,
};

struct SendError {
  ConnId conn = 0;
  std::optional<RequestId> id;
  ErrorCode code = ErrorCode::bad_message;
  std::string message;         ///< for a person
  std::uint32_t retry_ms = 0;  ///< 0: none given
};

struct Present {
  ClientName client;
  NodeId node;
};

struct SendPresence {
  ConnId conn = 0;
  RequestId id = 0;
  Channel channel;
  std::shared_ptr<const std::vector<Present>> clients;  ///< one list for all who ask before anything changes
};

struct SendPresenceChange {
  Recipients to;
  Channel channel;
  std::vector<Present> joined;
  std::vector<Present> left;
};

struct HistoryPage {
  ConnId conn = 0;
  Channel channel;
  Strokes strokes;
  Cursor cursor;
  bool more = false;
  bool complete = false;
};

/// `goaway`, and an end to the connection: another node serves that client better.
struct SendAway {
  ConnId conn = 0;
  std::string reason;  ///< for the close frame: short
};

// ---- to the store ---------------------------------------------------------------------------------------------------

/// Store these strokes in one transaction with whatever else waits, then say Committed{ticket} or AppendFailed{ticket}.
/// Appends are committed in the order in which they are given. For each (channel, origin) the strokes follow what is
/// stored without a gap.
struct Append {
  struct Item {
    StrokePtr stroke;
    std::uint64_t chain = 0;  ///< running hash after this stroke, kept with the head
  };
  Ticket ticket = 0;
  /// When an Append fails, every later one of the same or an earlier generation fails too; the core answers with a
  /// higher generation once it has taken its numbering back.
  std::uint64_t generation = 0;
  std::vector<Item> items;
};

/// Overwrite damaged records with these copies from a peer; heads stay. Answered by Committed or AppendFailed.
struct Repair {
  Ticket ticket = 0;
  std::vector<StrokePtr> strokes;
};

/// Keep this with the store, after every Append so far, in place of an earlier note of that name. No answer. The next
/// life gets all notes (CoreSettings::notes); what a note that could not be kept would have told it, peers do.
struct Note {
  std::string name;   ///< 1 to 64 bytes
  std::string value;  ///< at most kNoteBytesMax
};
constexpr std::size_t kNoteBytesMax = 2000;
/// The note that marks a store that was whole: the node list's generation, in decimal. Whatever else it says, the store
/// is not whole: why not, by name_of(HollowBecause).
inline const std::string kWholeNote = "whole";

/// Read what lies past a cursor, from a snapshot taken after every commit that was reported before. Answered by
/// ReadDone.
struct Read {
  Ticket ticket = 0;
  Channel channel;
  Cursor after;
  std::size_t limit_bytes = 0;  ///< by cost_of(); at least one stroke is given
  std::size_t limit_strokes = 0;
  /// Only this origin, where not empty.
  Origin only;
};

/// Find where a timestamp lies. Answered by SinceFound.
struct FindSince {
  Ticket ticket = 0;
  Channel channel;
  TimeUs since = 0;
};

/// Look up an op for a peer. Answered by OpFound.
struct FindOp {
  Ticket ticket = 0;
  Channel channel;
  ClientName client;
  Op op = 0;
};

// ---- to the mesh ----------------------------------------------------------------------------------------------------

struct SendGossip {
  GossipMessage message;
};

/// May be dropped only if PeerDisconnected follows.
struct SendFrame {
  NodeId peer;
  Frame frame;
};

// ---- to the operator ------------------------------------------------------------------------------------------------

enum class Severity { debug, info, warning, error };

struct Say {
  Severity severity = Severity::info;
  std::string text;
};

/// The node must end at once, and with it the epoch: going on could give one seq two contents.
struct Halt {
  std::string reason;
};

using Effect = std::variant<SendSubscribed, SendLive, SendUnsubscribed, DeliverStrokes, DeliverSignal, SendAck,
                            SendError, SendPresence, SendPresenceChange, HistoryPage, SendAway, Append, Repair, Note,
                            Read, FindSince, FindOp, SendGossip, SendFrame, Say, Halt>;

using Effects = std::vector<Effect>;

}  // namespace inkmesh
