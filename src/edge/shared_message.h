// The message type that websocketpp carries here: a received message owns its bytes; one that is sent shares the
// node's, framed once, whoever it goes to.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <websocketpp/frame.hpp>

#include "inkmesh/types.h"

namespace inkmesh::edge {

/// What websocketpp asks of a message, and shared bytes beside its own. Not thread-safe once shared, but for reading.
class SharedMessage {
 public:
  using ptr = std::shared_ptr<SharedMessage>;
  using opcode = websocketpp::frame::opcode::value;

  SharedMessage() = default;
  SharedMessage(opcode op, std::size_t size) : opcode_(op) {
    // A header may claim 96 KiB and send nothing: room is made for what comes.
    own_.reserve(std::min<std::size_t>(size, 2048));
  }

  /// A whole text message, ready for the wire.
  static ptr text(SharedBytes bytes) {
    auto message = std::make_shared<SharedMessage>();
    namespace frame = websocketpp::frame;
    message->opcode_ = frame::opcode::text;
    message->header_ = frame::prepare_header(frame::basic_header(frame::opcode::text, bytes->size(), true, false),
                                             frame::extended_header(bytes->size()));
    message->shared_ = std::move(bytes);
    message->prepared_ = true;
    return message;
  }

  bool get_prepared() const {
    return prepared_;
  }
  void set_prepared(bool value) {
    prepared_ = value;
  }
  bool get_compressed() const {
    return false;
  }
  void set_compressed(bool) {}
  bool get_terminal() const {
    return terminal_;
  }
  void set_terminal(bool value) {
    terminal_ = value;
  }
  bool get_fin() const {
    return true;
  }
  opcode get_opcode() const {
    return opcode_;
  }
  void set_opcode(opcode op) {
    opcode_ = op;
  }
  const std::string& get_header() const {
    return header_;
  }
  void set_header(const std::string& header) {
    header_ = header;
  }
  const std::string& get_payload() const {
    return shared_ ? *shared_ : own_;
  }
  /// Its own bytes; never of a message made by text().
  std::string& get_raw_payload() {
    return own_;
  }
  void set_payload(const std::string& payload) {
    own_ = payload;
  }
  void append_payload(const std::string& payload) {
    own_ += payload;
  }
  void append_payload(const void* payload, std::size_t size) {
    own_.append(static_cast<const char*>(payload), size);
  }

  std::size_t wire_bytes() const {
    return header_.size() + get_payload().size();
  }

 private:
  std::string header_;
  std::string own_;
  SharedBytes shared_;
  opcode opcode_ = websocketpp::frame::opcode::text;
  bool prepared_ = false;
  bool terminal_ = false;
};

/// Makes messages for one connection, each when it is asked for.
class MessageSource {
 public:
  using ptr = std::shared_ptr<MessageSource>;

  SharedMessage::ptr get_message() {
    return std::make_shared<SharedMessage>();
  }
  SharedMessage::ptr get_message(SharedMessage::opcode op, std::size_t size) {
    return std::make_shared<SharedMessage>(op, size);
  }
};

/// websocketpp's endpoint asks for the type; each connection makes its own source.
class EndpointMessageSource {};

}  // namespace inkmesh::edge
