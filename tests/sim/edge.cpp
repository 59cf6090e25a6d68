#include "edge.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace inkmesh::sim {

ConnId Edge::open(EdgeUser& user, std::uint64_t session) {
  const ConnId conn = (ConnId{random_.below(2)} << kConnShardShift) | ++last_conn_;
  conns_.emplace(conn, Conn{&user, session, agenda_.now(), 0});
  feed_(ConnOpened{conn, user.name()});
  return conn;
}

void Edge::close(ConnId conn) {
  if (conns_.erase(conn) != 0) feed_(ConnClosed{conn});
}

void Edge::ask_history(const Channel& channel, const StartAt& start, PageSink sink) {
  const ConnId conn = kConnHttpBit | ++last_conn_;
  pages_.emplace(conn, std::move(sink));
  feed_(HistoryAsk{conn, channel, start});
}

bool Edge::deliver(const Effect& effect) {
  if (const auto* page = std::get_if<HistoryPage>(&effect)) {
    const auto asked = pages_.find(page->conn);
    if (asked == pages_.end()) return true;
    const PageSink sink = std::move(asked->second);
    pages_.erase(asked);
    sink(*page);
    return true;
  }
  return std::visit(
      [&](const auto& what) {
        using T = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<T, DeliverStrokes> || std::is_same_v<T, DeliverSignal>) {
          send_all(what.to, std::make_shared<const Effect>(what), what.cost);
          return true;
        } else if constexpr (std::is_same_v<T, SendPresenceChange>) {
          send_all(what.to, std::make_shared<const Effect>(what), 0);
          return true;
        } else if constexpr (requires { what.conn; }) {
          send(what.conn, std::make_shared<const Effect>(what), 0);
          return true;
        } else {
          return false;
        }
      },
      effect);
}

void Edge::send_all(const Recipients& to, const EffectPtr& effect, std::size_t cost) {
  for (const ConnId conn : *to)
    send(conn, effect, cost);
}

void Edge::send(ConnId id, const EffectPtr& effect, std::size_t cost) {
  const auto found = conns_.find(id);
  if (found == conns_.end()) return;
  Conn& conn = found->second;
  conn.unwritten += cost;
  if (conn.unwritten > unwritten_max_) {
    unwritten_max_ = conn.unwritten;
    unwritten_most_ = conn.user->name();
  }
  conn.last_arrival = std::max(conn.last_arrival, agenda_.now() + 20 + random_.below(options_.client_us_max));
  conn.last_arrival += conn.user->us_per_kib() * cost / 1024;
  agenda_.at(conn.last_arrival, [this, id, effect, cost] {
    const auto then = conns_.find(id);
    if (then == conns_.end()) return;
    then->second.unwritten -= cost;
    EdgeUser* const user = then->second.user;
    const std::uint64_t session = then->second.session;
    if (cost != 0) feed_(Written{id, cost});
    user->receive(session, *effect);
  });
}

const ClientName* Edge::client(std::uint64_t number) const {
  for (const ConnId shard : {ConnId{0}, ConnId{1} << kConnShardShift}) {
    const auto found = conns_.find(shard | number);
    if (found != conns_.end()) return &found->second.user->name();
  }
  return nullptr;
}

std::size_t Edge::unwritten(ConnId conn) const {
  const auto found = conns_.find(conn);
  return found == conns_.end() ? 0 : found->second.unwritten;
}

void Edge::crash(SimUs notice_us_max) {
  for (const auto& [id, conn] : conns_) {
    agenda_.after(random_.below(notice_us_max), [user = conn.user, session = conn.session] { user->lost(session); });
  }
  conns_.clear();
  pages_.clear();
}

}  // namespace inkmesh::sim
