// The message type that websocketpp carries here: what it receives, and the control frames that it sends by itself.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include <websocketpp/frame.hpp>

namespace inkmesh::edge {

/// What websocketpp asks of a message.
class Message {
 public:
  using ptr = std::shared_ptr<Message>;
  using opcode = websocketpp::frame::opcode::value;

  Message() = default;
  Message(opcode op, std::size_t size) : opcode_(op) {
    // A header may claim 96 KiB and send nothing: room is made for what comes.
    payload_.reserve(std::min<std::size_t>(size, 2048));
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
    return payload_;
  }
  std::string& get_raw_payload() {
    return payload_;
  }
  void set_payload(const std::string& payload) {
    payload_ = payload;
  }
  void append_payload(const std::string& payload) {
    payload_ += payload;
  }
  void append_payload(const void* payload, std::size_t size) {
    payload_.append(static_cast<const char*>(payload), size);
  }

 private:
  std::string header_;
  std::string payload_;
  opcode opcode_ = websocketpp::frame::opcode::text;
  bool prepared_ = false;
  bool terminal_ = false;
};

/// Makes messages for one connection, each when it is asked for.
class MessageSource {
 public:
  using ptr = std::shared_ptr<MessageSource>;

  Message::ptr get_message() {
    return std::make_shared<Message>();
  }
  Message::ptr get_message(Message::opcode op, std::size_t size) {
    return std::make_shared<Message>(op, size);
  }
};

/// websocketpp's endpoint asks for the type; each connection makes its own source.
class EndpointMessageSource {};

}  // namespace inkmesh::edge
