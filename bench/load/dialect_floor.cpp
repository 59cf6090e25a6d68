// The floor's own words: 'S' and a channel subscribes, 'P', a channel, a newline and the data publishes. Data come back
// as they were.
#include "load/dialects.h"

namespace inkmesh::bench {
namespace {

class Floor final : public Dialect {
 public:
  std::string path() const override {
    return "/";
  }
  std::string subprotocol() const override {
    return "";
  }
  bool binary() const override {
    return true;
  }
  void hello(std::string_view, std::string&) const override {}
  bool waits_for_welcome() const override {
    return false;
  }
  void subscribe(std::uint64_t, std::string_view channel, std::string& message) const override {
    message += 'S';
    message += channel;
  }
  void publish(std::uint64_t, std::string_view, std::string_view channel, std::string_view data,
               std::string& message) const override {
    message += 'P';
    message += channel;
    message += '\n';
    message += data;
  }
  Answer read(std::string_view message) const override {
    if (message == "s") return {Answer::Kind::subscribed, {}};
    return {};
  }
};

}  // namespace

std::unique_ptr<Dialect> make_floor_dialect() {
  return std::make_unique<Floor>();
}

}  // namespace inkmesh::bench
