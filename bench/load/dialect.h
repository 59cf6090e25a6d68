// How one kind of server is spoken to over a WebSocket: all that the load generator needs to know about it.
//
// Every delivery is recognised by the marker inside the stroke's data (load/marker.h), wherever a server puts it: alone
// in a message, in a batch, or several messages in one write. So a dialect does not parse deliveries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace inkmesh::bench {

class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string path() const = 0;         ///< of the handshake's request, with its query
  virtual std::string subprotocol() const = 0;  ///< empty: none
  virtual bool binary() const = 0;              ///< whether messages leave in binary frames

  /// Appends the message that a connection sends first; nothing where there is none.
  virtual void hello(std::string_view client, std::string& message) const = 0;

  /// True: hello is answered, and nothing else may be sent before (see Answer::ready).
  virtual bool waits_for_welcome() const = 0;

  virtual void subscribe(std::uint64_t id, std::string_view channel, std::string& message) const = 0;

  /// As subscribe, from behind a cursor on (`{"ws1~5k2m9x1q":42}`). False: such a server gives nobody what was missed.
  virtual bool resume(std::uint64_t /*id*/, std::string_view /*channel*/, std::string_view /*cursor*/,
                      std::string& /*message*/) const {
    return false;
  }

  /// `data` is the stroke's JSON. `op` rises by one for each publish of a connection, from 1.
  virtual void publish(std::uint64_t op, std::string_view client, std::string_view channel, std::string_view data,
                       std::string& message) const = 0;

  struct Answer {
    enum class Kind {
      other,       ///< deliveries, and whatever needs no attention
      ready,       ///< answers hello
      subscribed,  ///< a subscription stands: what is published from now on will come
      acked,       ///< a publish is accepted, in the server's own sense of it
      failed,      ///< the server refused something: the run has failed
    } kind = Kind::other;
    std::string reply;  ///< a message to send back at once (a ping's answer); empty: none
  };
  /// Called for every message that comes in: must look at a few bytes only.
  virtual Answer read(std::string_view message) const = 0;
};

/// `name`: inkmesh, floor, ws-redis, socketio, nats. Nothing for any other.
std::unique_ptr<Dialect> make_dialect(std::string_view name);

}  // namespace inkmesh::bench
