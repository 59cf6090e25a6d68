#include "floor/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/net.h"
#include "common/websocket.h"

namespace inkmesh::bench {
namespace {

constexpr std::size_t kRead = std::size_t{256} * 1024;
constexpr std::size_t kLargest = std::size_t{128} * 1024;
constexpr int kTurnMs = 100;  // how often peers that are away are tried again
constexpr std::size_t kPeerHeader = 6;

}  // namespace

FloorServer::FloorServer(FloorSettings settings)
    : settings_(std::move(settings)), epoll_(epoll_create1(EPOLL_CLOEXEC)), buffer_(kLargest + 64 + kRead) {
  add(Kind::client_listener, listen_at(settings_.clients), false);
  if (settings_.mesh.sin_port != 0) add(Kind::mesh_listener, listen_at(settings_.mesh), false);
}

FloorServer::~FloorServer() {
  for (const auto& [link, owner] : links_)
    ::close(link->fd);
  ::close(epoll_);
}

FloorServer::Link& FloorServer::add(Kind kind, int fd, bool writes) {
  auto owner = std::make_unique<Link>();
  Link& link = *owner;
  link.kind = kind;
  link.fd = fd;
  link.wants_write = writes;
  epoll_event event{};
  event.events = EPOLLIN | (writes ? std::uint32_t{EPOLLOUT} : 0U);
  event.data.ptr = &link;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  links_.emplace(&link, std::move(owner));
  return link;
}

void FloorServer::accept_all(const Link& listener) {
  const Kind kind = listener.kind == Kind::client_listener ? Kind::upgrading : Kind::peer_in;
  for (int fd = accept_from(listener.fd); fd >= 0; fd = accept_from(listener.fd))
    add(kind, fd, false);
}

void FloorServer::connect_peers() {
  for (const auto& address : settings_.peers) {
    const bool there = std::ranges::any_of(peers_, [&address](const Link* peer) {
      return peer->address.sin_port == address.sin_port && peer->address.sin_addr.s_addr == address.sin_addr.s_addr;
    });
    if (there) continue;
    const int fd = connect_to(address);
    if (fd < 0) continue;
    Link& peer = add(Kind::peer_out, fd, true);
    peer.connected = false;
    peer.address = address;
    peers_.push_back(&peer);
  }
}

void FloorServer::run() {
  std::array<epoll_event, 512> events{};
  while (true) {
    connect_peers();
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), kTurnMs);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      serve(*static_cast<Link*>(event.data.ptr), event.events);
    }
    finish_turn();
  }
}

void FloorServer::serve(Link& link, std::uint32_t events) {
  if (link.kind == Kind::client_listener || link.kind == Kind::mesh_listener) return accept_all(link);
  if (!link.connected) {
    link.connected = socket_error(link.fd) == 0;
    if (!link.connected) return remove(link);
  }
  if ((events & EPOLLOUT) != 0) write(link);
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(link);
}

void FloorServer::read(Link& link) {
  const std::size_t kept = link.input.size();
  std::memcpy(buffer_.data(), link.input.data(), kept);
  const auto count = recv(link.fd, buffer_.data() + kept, kRead, 0);
  if (count <= 0) {
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) remove(link);
    return;
  }
  const std::size_t size = kept + static_cast<std::size_t>(count);
  const std::size_t used = parse(link, buffer_.data(), size);
  if (!link.broken) link.input.assign(buffer_.data() + used, size - used);
}

std::size_t FloorServer::parse(Link& link, char* bytes, std::size_t size) {
  if (link.kind == Kind::peer_in) return parse_peer(std::string_view(bytes, size));
  if (link.kind == Kind::peer_out) return size;
  std::size_t used = 0;
  if (link.kind == Kind::upgrading) {
    used = upgrade(link, std::string_view(bytes, size));
    if (link.kind == Kind::upgrading) return used;
  }
  return used + parse_client(link, bytes + used, size - used);
}

std::size_t FloorServer::upgrade(Link& link, std::string_view bytes) {
  constexpr std::string_view kKey = "Sec-WebSocket-Key: ";
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (bytes.size() > kLargest) remove(link);
    return 0;
  }
  const auto key = bytes.substr(0, end + 2).find(kKey);
  if (key == std::string_view::npos) {
    remove(link);
    return bytes.size();
  }
  const auto start = key + kKey.size();
  append(link,
         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
             accept_key(bytes.substr(start, bytes.find('\r', start) - start)) + "\r\n\r\n");
  link.kind = Kind::client;
  return end + 4;
}

std::size_t FloorServer::parse_client(Link& link, char* bytes, std::size_t size) {
  std::size_t at = 0;
  while (!link.broken) {
    Frame frame;
    std::size_t used = 0;
    const auto parsed = parse_frame(bytes + at, size - at, kLargest, frame, used);
    if (parsed == Parsed::more) return at;
    if (parsed == Parsed::broken || frame.opcode == Opcode::close) {
      remove(link);
      break;
    }
    at += used;
    if (frame.opcode == Opcode::binary) handle(link, frame.payload);
  }
  return size;
}

void FloorServer::handle(Link& link, std::string_view message) {
  if (message.empty()) return;
  const char kind = message.front();
  message.remove_prefix(1);
  if (kind == 'S') {
    Channel& channel = channels_[std::string(message)];
    channel.subscribers.push_back(&link);
    link.channels.push_back(&channel);
    frame_.clear();
    append_server_frame(Opcode::binary, "s", frame_);
    append(link, frame_);
    return;
  }
  const auto line = message.find('\n');
  if (kind != 'P' || line == std::string_view::npos) return remove(link);
  const auto channel = message.substr(0, line);
  const auto data = message.substr(line + 1);
  deliver(channel, data);
  forward(channel, data);
}

void FloorServer::deliver(std::string_view channel, std::string_view data) {
  channel_name_.assign(channel);
  const auto found = channels_.find(channel_name_);
  if (found == channels_.end()) return;
  frame_.clear();
  append_server_frame(Opcode::binary, data, frame_);
  for (Link* subscriber : found->second.subscribers)
    append(*subscriber, frame_);
}

// Four bytes of the whole's length, two of the channel's, the channel, the data.
void FloorServer::forward(std::string_view channel, std::string_view data) {
  if (peers_.empty()) return;
  const auto size = static_cast<std::uint32_t>(channel.size() + data.size());
  const auto name = static_cast<std::uint16_t>(channel.size());
  frame_.resize(kPeerHeader);
  std::memcpy(frame_.data(), &size, sizeof(size));
  std::memcpy(frame_.data() + sizeof(size), &name, sizeof(name));
  frame_.append(channel).append(data);
  for (Link* peer : peers_) {
    if (peer->connected) append(*peer, frame_);
  }
}

std::size_t FloorServer::parse_peer(std::string_view bytes) {
  std::size_t at = 0;
  while (at + kPeerHeader <= bytes.size()) {
    std::uint32_t size = 0;
    std::uint16_t name = 0;
    std::memcpy(&size, bytes.data() + at, sizeof(size));
    std::memcpy(&name, bytes.data() + at + sizeof(size), sizeof(name));
    if (at + kPeerHeader + size > bytes.size()) break;
    const auto body = bytes.substr(at + kPeerHeader, size);
    deliver(body.substr(0, name), body.substr(name));
    at += kPeerHeader + size;
  }
  return at;
}

void FloorServer::append(Link& link, std::string_view bytes) {
  link.output.append(bytes);
  if (link.dirty || link.wants_write) return;
  link.dirty = true;
  dirty_.push_back(&link);
}

void FloorServer::write(Link& link) {
  std::size_t sent = 0;
  while (sent < link.output.size()) {
    const auto count = send(link.fd, link.output.data() + sent, link.output.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return remove(link);
      break;
    }
    sent += static_cast<std::size_t>(count);
  }
  link.output.erase(0, sent);
  const bool wants_write = !link.output.empty();
  if (wants_write == link.wants_write) return;
  link.wants_write = wants_write;
  epoll_event event{};
  event.events = EPOLLIN | (wants_write ? std::uint32_t{EPOLLOUT} : 0U);
  event.data.ptr = &link;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, link.fd, &event);
}

// What a turn has for one connection leaves in one write.
void FloorServer::finish_turn() {
  for (Link* link : dirty_) {
    link->dirty = false;
    if (!link->broken) write(*link);
  }
  dirty_.clear();
  for (Link* link : broken_) {
    for (Channel* channel : link->channels)
      std::erase(channel->subscribers, link);
    std::erase(peers_, link);
    ::close(link->fd);
    links_.erase(link);
  }
  broken_.clear();
}

void FloorServer::remove(Link& link) {
  if (link.broken) return;
  link.broken = true;
  broken_.push_back(&link);
}

}  // namespace inkmesh::bench
