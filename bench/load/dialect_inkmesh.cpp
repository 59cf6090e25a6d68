// docs/protocol.md.
#include "load/dialects.h"

namespace inkmesh::bench {
namespace {

class Inkmesh final : public Dialect {
 public:
  std::string path() const override {
    return "/ws";
  }
  std::string subprotocol() const override {
    return "inkmesh.v1";
  }
  bool binary() const override {
    return false;
  }
  void hello(std::string_view client, std::string& message) const override {
    message += R"({"type":"hello","client":")";
    message += client;
    message += R"("})";
  }
  bool waits_for_welcome() const override {
    return true;
  }
  void subscribe(std::uint64_t id, std::string_view channel, std::string& message) const override {
    message += R"({"type":"subscribe","id":)";
    message += std::to_string(id);
    message += R"(,"channel":")";
    message += channel;
    message += R"("})";
  }
  bool resume(std::uint64_t id, std::string_view channel, std::string_view cursor,
              std::string& message) const override {
    subscribe(id, channel, message);
    message.back() = ',';
    message.append(R"("cursor":)").append(cursor).append("}");
    return true;
  }
  void publish(std::uint64_t op, std::string_view, std::string_view channel, std::string_view data,
               std::string& message) const override {
    const std::string number = std::to_string(op);
    message += R"({"type":"publish","id":)";
    message += number;
    message += R"(,"channel":")";
    message += channel;
    message += R"(","op":)";
    message += number;
    message += R"(,"data":)";
    message += data;
    message += '}';
  }
  Answer read(std::string_view message) const override {
    constexpr std::string_view kStart = R"({"type":")";
    if (!message.starts_with(kStart)) return {Answer::Kind::failed, {}};
    message.remove_prefix(kStart.size());
    if (message.starts_with("stroke")) return {};
    if (message.starts_with("ack\"")) return {Answer::Kind::acked, {}};
    if (message.starts_with("live\"")) return {Answer::Kind::subscribed, {}};
    if (message.starts_with("welcome\"")) return {Answer::Kind::ready, {}};
    if (message.starts_with("error\"")) return {Answer::Kind::failed, {}};
    return {};
  }
};

}  // namespace

std::unique_ptr<Dialect> make_inkmesh_dialect() {
  return std::make_unique<Inkmesh>();
}

}  // namespace inkmesh::bench
