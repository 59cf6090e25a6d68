// Socket.IO's protocol 5 over Engine.IO's protocol 4, as text frames: a digit for Engine.IO (4: message), one for
// Socket.IO (2: event, 3: acknowledgement), the number to acknowledge, and JSON.
#include "load/dialects.h"

namespace inkmesh::bench {
namespace {

class SocketIoDialect : public Dialect {
 public:
  std::string path() const override {
    return "/socket.io/?EIO=4&transport=websocket";
  }

  std::string subprotocol() const override {
    return {};
  }

  bool binary() const override {
    return false;
  }

  /// The server speaks first, and "40", which joins the main namespace, is the answer to that: see read.
  void hello(std::string_view /*client*/, std::string& /*message*/) const override {}

  bool waits_for_welcome() const override {
    return true;
  }

  void subscribe(std::uint64_t id, std::string_view channel, std::string& message) const override {
    message.append("42").append(std::to_string(id));
    message.append(R"(["subscribe",{"channel":")").append(channel).append(R"("}])");
  }

  void publish(std::uint64_t op, std::string_view client, std::string_view channel, std::string_view data,
               std::string& message) const override {
    const std::string number = std::to_string(op);
    message.append("42").append(number);
    message.append(R"(["publish",{"channel":")").append(channel).append(R"(","client":")").append(client);
    message.append(R"(","op":)").append(number).append(R"(,"data":)").append(data).append("}]");
  }

  Answer read(std::string_view message) const override {
    using Kind = Answer::Kind;
    if (message.starts_with("42")) return {};
    if (message.starts_with("43")) return acknowledged(message);
    if (message == "2") return {Kind::other, "3"};  // a ping, and its answer
    if (message.starts_with('0')) return {Kind::other, "40"};
    if (message.starts_with("40")) return {Kind::ready, {}};
    return {Kind::failed, {}};  // 1: closed, 41: disconnected, 44: refused
  }

 private:
  /// Requests of both kinds are numbered by the caller, each kind from 1: so the server's answer says which it was.
  static Answer acknowledged(std::string_view message) {
    if (message.ends_with(R"(["ack"])")) return {Answer::Kind::acked, {}};
    if (message.ends_with(R"(["subscribed"])")) return {Answer::Kind::subscribed, {}};
    return {Answer::Kind::failed, {}};
  }
};

}  // namespace

std::unique_ptr<Dialect> make_socketio_dialect() {
  return std::make_unique<SocketIoDialect>();
}

}  // namespace inkmesh::bench
