#include "cli/ws_client.h"

#include <asio/io_context.hpp>
#include <deque>
#include <stdexcept>
#include <websocketpp/client.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/asio_no_tls_client.hpp>

namespace inkmesh::cli {
namespace {

struct ClientConfig : websocketpp::config::asio_client {
  // One thread: no locks.
  using concurrency_type = websocketpp::concurrency::none;
  // A batch of strokes has at most 256 KiB.
  static const std::size_t max_message_size = std::size_t{4} << 20;
  struct transport_config : websocketpp::config::asio_client::transport_config {
    using concurrency_type = websocketpp::concurrency::none;
  };
  using transport_type = websocketpp::transport::asio::endpoint<transport_config>;
};

using Client = websocketpp::client<ClientConfig>;
using Handle = websocketpp::connection_hdl;
using Clock = std::chrono::steady_clock;

std::string text_of(const Address& address) {
  const bool ipv6 = address.host.find(':') != std::string::npos;
  return (ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace

struct WsClient::Impl {
  enum class State { connecting, open, ended };

  explicit Impl(const Address& address) : name(text_of(address)) {
    client.clear_access_channels(websocketpp::log::alevel::all);
    client.clear_error_channels(websocketpp::log::elevel::all);
    websocketpp::lib::error_code error;
    client.init_asio(&io, error);
    if (error) throw std::runtime_error(name + ": " + error.message());
    client.set_open_handler([this](Handle) { state = State::open; });
    client.set_fail_handler([this](Handle handle) { end(handle); });
    client.set_close_handler([this](Handle handle) { end(handle); });
    client.set_message_handler([this](Handle, const Client::message_ptr& message) {
      if (message->get_opcode() == websocketpp::frame::opcode::text) messages.push_back(message->get_payload());
    });
    connection = client.get_connection("ws://" + name + "/ws", error);
    if (!error) connection->add_subprotocol("inkmesh.v1", error);
    if (error) throw std::runtime_error(name + ": " + error.message());
    client.connect(connection);
  }

  ~Impl() {
    // The pending handlers own the connection, and the connection refers to `client`: they go first.
    client.stop();
    io.restart();
    websocketpp::lib::error_code error;
    if (state == State::open) connection->terminate(error);
    io.poll();
    connection.reset();
  }

  void end(const Handle& handle) {
    websocketpp::lib::error_code error;
    const auto ended = client.get_con_from_hdl(handle, error);
    state = State::ended;
    if (!ended) return;
    const auto code = ended->get_remote_close_code();
    const bool said_farewell =
        code != websocketpp::close::status::abnormal_close && code != websocketpp::close::status::blank;
    if (said_farewell) {
      reason = "closed with " + std::to_string(code);
      if (!ended->get_remote_close_reason().empty()) reason += " (" + ended->get_remote_close_reason() + ")";
    } else {
      reason = ended->get_ec().message();
    }
  }

  /// Runs what is due until `done` or the deadline.
  template <typename Done>
  void run_until(Clock::time_point deadline, Done done) {
    while (!done()) {
      const auto left = deadline - Clock::now();
      if (left <= Clock::duration::zero()) {
        io.poll_one();
        return;
      }
      if (io.stopped()) io.restart();
      if (io.run_one_for(left) == 0 && io.stopped()) return;
    }
  }

  std::string name;
  asio::io_context io;
  Client client;
  Client::connection_ptr connection;
  State state = State::connecting;
  std::string reason;
  std::deque<std::string> messages;
};

WsClient::WsClient(const Address& address, std::chrono::milliseconds timeout) : impl_(std::make_unique<Impl>(address)) {
  impl_->run_until(Clock::now() + timeout, [this] { return impl_->state != Impl::State::connecting; });
  if (impl_->state == Impl::State::open) return;
  const bool silent = impl_->state == Impl::State::connecting;
  throw std::runtime_error(impl_->name + ": " + (silent ? "no answer in time" : impl_->reason));
}

WsClient::~WsClient() = default;

bool WsClient::is_open() const {
  return impl_->state == Impl::State::open;
}

std::string WsClient::closed_because() const {
  return impl_->reason;
}

void WsClient::send(const std::string& text) {
  if (!is_open()) return;
  // An error means that the connection is ending; its handler is told within receive().
  static_cast<void>(impl_->connection->send(text, websocketpp::frame::opcode::text));
}

std::size_t WsClient::unsent_bytes() const {
  return impl_->connection->get_buffered_amount();
}

std::optional<std::string> WsClient::receive(std::chrono::milliseconds timeout) {
  impl_->run_until(Clock::now() + timeout, [this] { return !impl_->messages.empty() || !is_open(); });
  if (impl_->messages.empty()) return std::nullopt;
  std::string message = std::move(impl_->messages.front());
  impl_->messages.pop_front();
  return message;
}

void WsClient::close(std::chrono::milliseconds timeout) {
  if (!is_open()) return;
  websocketpp::lib::error_code error;
  impl_->connection->close(websocketpp::close::status::normal, "", error);
  if (!error) impl_->run_until(Clock::now() + timeout, [this] { return !is_open(); });
}

}  // namespace inkmesh::cli
