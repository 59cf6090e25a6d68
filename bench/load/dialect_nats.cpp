// NATS' client protocol, in binary frames: lines, and after a MSG its payload. The server puts as many messages in a
// frame as it has, each whole.
#include <algorithm>
#include <charconv>

#include "load/dialects.h"

namespace inkmesh::bench {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

/// The length of the payload that follows "MSG subject sid [reply] length".
std::size_t payload_bytes(std::string_view line) {
  const std::string_view number = line.substr(line.rfind(' ') + 1);
  std::size_t bytes = 0;
  std::from_chars(number.data(), number.data() + number.size(), bytes);
  return bytes;
}

class NatsDialect : public Dialect {
 public:
  std::string path() const override {
    return "/";
  }

  std::string subprotocol() const override {
    return {};
  }

  bool binary() const override {
    return true;
  }

  /// Protocol 0: the server then sends INFO once only, so that it can stand for the welcome; PONG stands for a
  /// subscription, and no state is needed to tell the two. What CONNECT gets wrong comes as -ERR.
  void hello(std::string_view client, std::string& message) const override {
    message.append(R"(CONNECT {"verbose":false,"pedantic":false,"tls_required":false,"echo":true,"protocol":0,)");
    message.append(R"("lang":"c++","version":"1","name":")").append(client).append(R"("})").append(kLineEnd);
  }

  bool waits_for_welcome() const override {
    return true;
  }

  /// The server takes lines in turn, so its PONG says that the subscription stands.
  void subscribe(std::uint64_t id, std::string_view channel, std::string& message) const override {
    message.append("SUB ").append(channel).append(" ").append(std::to_string(id)).append("\r\nPING\r\n");
  }

  void publish(std::uint64_t /*op*/, std::string_view /*client*/, std::string_view channel, std::string_view data,
               std::string& message) const override {
    message.append("PUB ").append(channel).append(" ").append(std::to_string(data.size())).append(kLineEnd);
    message.append(data).append(kLineEnd);
  }

  Answer read(std::string_view message) const override {
    Answer answer;
    for (auto end = message.find(kLineEnd); end != std::string_view::npos; end = message.find(kLineEnd)) {
      const std::string_view line = message.substr(0, end);
      message.remove_prefix(end + kLineEnd.size());
      if (line.starts_with("MSG ")) {
        message.remove_prefix(std::min(payload_bytes(line) + kLineEnd.size(), message.size()));
      } else {
        control(line, answer);
      }
    }
    return answer;
  }

 private:
  static void control(std::string_view line, Answer& answer) {
    using Kind = Answer::Kind;
    if (line == "PING") answer.reply = "PONG\r\n";
    if (line == "PONG") answer.kind = Kind::subscribed;
    if (line.starts_with("INFO ")) answer.kind = Kind::ready;
    if (line.starts_with("-ERR")) answer.kind = Kind::failed;
  }
};

}  // namespace

std::unique_ptr<Dialect> make_nats_dialect() {
  return std::make_unique<NatsDialect>();
}

}  // namespace inkmesh::bench
