// The edge's own endpoint configuration as an echo server, for foreign conformance suites: every message comes back as
// it came, text and binary.
#include <sys/socket.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <unordered_map>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/signal_set.hpp>

#include "edge/endpoint_config.h"
#include "edge/listen.h"

namespace {

using namespace inkmesh;
using namespace inkmesh::edge;

class Echo final : public TransportOwner {
 public:
  Echo(asio::io_context& io, int listener, std::size_t limit_bytes)
      : acceptor_(io, asio::ip::tcp::v4(), listener), limit_bytes_(limit_bytes) {
    endpoint_.set_user_agent("inkmesh");
    endpoint_.set_max_message_size(limit_bytes);
    limits_.fragments_max = fragments_max(limit_bytes);
    limits_.messages = Rate{5'000, 5'000};
    limits_.extras = Rate{1'000, 2 * limits_.fragments_max};
    accept_next();
  }

  bool on_read(Transport& transport, const char* data, std::size_t size) override {
    auto& c = static_cast<Connection&>(transport);
    const FrameWalk::Verdict verdict = c.walk.feed(data, size, transport.alive_ms(), limits_);
    if (c.phase != Phase::open || verdict < FrameWalk::Verdict::abuse) return true;
    // An error means that it is closing already.
    std::error_code ignored;
    const bool broken = verdict == FrameWalk::Verdict::broken;
    c.close(broken ? 1002 : 4429, broken ? "a length in too many bytes" : "too many frames", ignored);
    return false;
  }

  void on_written(Transport& transport) override {
    auto& c = static_cast<Connection&>(transport);
    if (c.get_buffered_amount() < limit_bytes_) transport.set_reading_paused(false);
  }

  void on_write_failed(Transport&) override {}

  void on_socket_closed(Transport& transport) override {
    connections_.erase(&transport);
  }

 private:
  void accept_next() {
    acceptor_.async_accept([this](const asio::error_code& error, asio::ip::tcp::socket socket) {
      if (error) {
        std::cerr << "edge_echo: accept: " << error.message() << '\n';
        std::exit(1);
      }
      asio::error_code ignored;
      socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      const Connection::ptr c = endpoint_.get_connection();
      c->adopt(std::move(socket), *this);
      c->set_open_handler([one = c.get()](const websocketpp::connection_hdl&) {
        one->phase = Phase::open;
        one->enter_frames();
        forget_request(*one);
      });
      c->set_message_handler([this, one = c.get()](const websocketpp::connection_hdl&, const Message::ptr& m) {
        // An error means that the connection is closing: the message is not for it any more.
        if (one->send(m->get_payload(), m->get_opcode())) return;
        if (one->get_buffered_amount() >= limit_bytes_) one->set_reading_paused(true);
      });
      connections_.emplace(c.get(), c);
      c->start();
      accept_next();
    });
  }

  asio::ip::tcp::acceptor acceptor_;
  const std::size_t limit_bytes_;
  WsServer endpoint_;
  FrameLimits limits_;
  std::unordered_map<Transport*, Connection::ptr> connections_;
};

unsigned long number_after(int argc, char** argv, const char* option) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], option) == 0) return std::strtoul(argv[i + 1], nullptr, 10);
  }
  std::cerr << "usage: edge_echo --port P --limit BYTES\n";
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long port = number_after(argc, argv, "--port");
  const unsigned long limit = number_after(argc, argv, "--limit");
  if (port > 65'535 || limit < 1) {
    std::cerr << "edge_echo: expected a port up to 65535 and a limit of at least 1 byte\n";
    return 2;
  }
  try {
    std::uint16_t bound = 0;
    const auto listeners = listen_on(Address{"127.0.0.1", static_cast<std::uint16_t>(port)}, 1, bound);
    asio::io_context io(1);
    Echo echo(io, listeners.front().front(), limit);
    asio::signal_set signals(io, SIGINT, SIGTERM);
    signals.async_wait([&io](const asio::error_code&, int) { io.stop(); });
    std::cout << "listening on 127.0.0.1:" << bound << std::endl;
    io.run();
  } catch (const std::exception& failure) {
    std::cerr << "edge_echo: " << failure.what() << '\n';
    return 1;
  }
  return 0;
}
