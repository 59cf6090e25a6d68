// bench/rivals/ws_redis/server.mjs: one JSON object in each text frame. What comes back begins with its type, always in
// the same bytes, because one JSON.stringify made it.
#include "load/dialects.h"

namespace inkmesh::bench {
namespace {

class WsRedisDialect : public Dialect {
 public:
  std::string path() const override {
    return "/";
  }

  std::string subprotocol() const override {
    return {};
  }

  bool binary() const override {
    return false;
  }

  void hello(std::string_view client, std::string& message) const override {
    message.append(R"({"type":"hello","client":")").append(client).append(R"("})");
  }

  bool waits_for_welcome() const override {
    return true;
  }

  void subscribe(std::uint64_t id, std::string_view channel, std::string& message) const override {
    message.append(R"({"type":"subscribe","id":)").append(std::to_string(id));
    message.append(R"(,"channel":")").append(channel).append(R"("})");
  }

  void publish(std::uint64_t op, std::string_view /*client*/, std::string_view channel, std::string_view data,
               std::string& message) const override {
    message.append(R"({"type":"publish","id":)").append(std::to_string(op));
    message.append(R"(,"channel":")").append(channel).append(R"(","data":)").append(data).append("}");
  }

  Answer read(std::string_view message) const override {
    using Kind = Answer::Kind;
    if (message.starts_with(R"({"type":"stroke")")) return {};
    if (message.starts_with(R"({"type":"ack")")) return {Kind::acked, {}};
    if (message.starts_with(R"({"type":"subscribed")")) return {Kind::subscribed, {}};
    if (message.starts_with(R"({"type":"welcome")")) return {Kind::ready, {}};
    if (message.starts_with(R"({"type":"error")")) return {Kind::failed, {}};
    return {};
  }
};

}  // namespace

std::unique_ptr<Dialect> make_ws_redis_dialect() {
  return std::make_unique<WsRedisDialect>();
}

}  // namespace inkmesh::bench
