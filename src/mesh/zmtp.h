// ZeroMQ's wire protocol, without sockets: ZMTP 3.1 (https://rfc.zeromq.org/spec/37/) with the NULL mechanism, as far
// as a DEALER and a ROUTER need it, and as libzmq speaks it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace inkmesh::mesh::zmtp {

enum class Role : std::uint8_t { dealer, router };

/// All that one side says before its messages: the greeting and READY.
std::string opening(Role self);
/// Asks for a sign of life; whoever hears it and then nothing for `ttl_ms` may take us for dead.
std::string ping(int ttl_ms);
/// The answer, with the ping's context (at most 16 bytes).
std::string pong(std::string_view context);

/// What goes in front of a message of one part.
class MessageHeader {
 public:
  explicit MessageHeader(std::size_t message_bytes);
  std::string_view view() const {
    return {bytes_.data(), size_};
  }

 private:
  std::array<char, 9> bytes_{};
  std::size_t size_ = 0;
};

/// Takes one connection's bytes apart. For all bytes of one read:
///   take(bytes); while (next() is something) ...; keep();
class Reader {
 public:
  enum class Found : std::uint8_t {
    nothing,  ///< all that is whole has been told
    opened,   ///< the other side's opening; once, before any message
    message,  ///< payload() and parts()
    ping,     ///< payload() is what to send back
    broken,   ///< no ZMTP 3, another mechanism or kind of socket, or past a bound: nothing more comes of it
  };

  /// `message_bytes_max`: of one part; a longer one is broken as soon as it is announced.
  Reader(Role self, std::size_t message_bytes_max) : self_(self), message_bytes_max_(message_bytes_max) {}

  /// The bytes must stay as they are until keep().
  void take(std::string_view bytes);
  Found next();
  /// Holds what is not whole yet: less than a message's bound and one read more.
  void keep();

  /// Of the last `message` its last part, or a ping's context; until the next take() or keep().
  std::string_view payload() const {
    return payload_;
  }
  /// How many parts the last message had.
  std::size_t parts() const {
    return parts_;
  }

 private:
  enum class Stage : std::uint8_t { greeting, handshake, open, broken };

  Found broken();
  Found greeting();
  Found command(std::string_view body);
  Found ready(std::string_view metadata);
  Found message(std::string_view body, bool more);

  Role self_;
  Stage stage_ = Stage::greeting;
  std::size_t message_bytes_max_;
  std::size_t parts_ = 0;
  bool in_message_ = false;
  std::string held_;
  std::string_view input_;
  std::string_view payload_;
};

}  // namespace inkmesh::mesh::zmtp
