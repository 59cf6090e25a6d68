#include "describe.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>
#include <type_traits>
#include <variant>

namespace inkmesh::sim {
namespace {

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

template <typename... Parts>
std::string join(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

std::string conn_text(ConnId conn) {
  return join(is_http(conn) ? "http" : "conn", conn & (kConnHttpBit - 1));
}

std::string mode_text(Mode mode) {
  constexpr std::array<const char*, 4> names{"delta", "full", "since", "live"};
  return names.at(static_cast<std::size_t>(mode));
}

std::string start_text(const StartAt& start) {
  switch (start.kind) {
    case StartAt::Kind::full:
      return "full";
    case StartAt::Kind::cursor:
      return "cursor " + describe(start.cursor);
    case StartAt::Kind::since:
      return join("since ", start.since);
    case StartAt::Kind::live:
      return "live";
  }
  return "?";
}

std::string heads_text(const std::vector<Offer::Entry>& entries) {
  std::ostringstream out;
  for (const Offer::Entry& entry : entries) {
    out << ' ' << entry.channel;
    for (const Offer::Head& head : entry.heads)
      out << ' ' << head.origin << ':' << head.seq;
  }
  return out.str();
}

template <typename T>
concept HasChannel = requires(const T& value) {
  { value.channel } -> std::convertible_to<const Channel&>;
};

template <typename Variant>
Channel member_channel(const Variant& variant) {
  return std::visit(
      [](const auto& value) -> Channel {
        if constexpr (HasChannel<std::decay_t<decltype(value)>>) {
          return value.channel;
        } else {
          return {};
        }
      },
      variant);
}

template <typename Item, typename Get>
std::string groups_text(const std::vector<Item>& items, Get get) {
  Strokes strokes;
  for (const Item& item : items)
    strokes.push_back(get(item));
  return describe(strokes);
}

}  // namespace

std::string describe(const Cursor& cursor) {
  if (cursor.empty()) return "-";
  std::string text;
  for (const auto& [origin, seq] : cursor.seqs()) {
    if (!text.empty()) text += ' ';
    text += join(origin, ":", seq);
  }
  return text;
}

std::string describe(const Strokes& strokes) {
  std::string text;
  for (std::size_t i = 0; i < strokes.size();) {
    std::size_t last = i;
    while (last + 1 < strokes.size() && strokes[last + 1]->origin == strokes[i]->origin &&
           strokes[last + 1]->channel == strokes[i]->channel && strokes[last + 1]->seq == strokes[last]->seq + 1) {
      ++last;
    }
    text += join(i == 0 ? "" : ", ", strokes[i]->channel, " ", strokes[i]->origin, ":", strokes[i]->seq);
    if (last != i) text += join("..", strokes[last]->seq);
    i = last + 1;
  }
  return text.empty() ? "-" : text;
}

std::string describe(ErrorCode code) {
  constexpr std::array<const char*, 11> names{"bad_message",  "bad_channel",  "too_large",      "rate_limited",
                                              "forbidden",    "unauthorized", "not_subscribed", "too_many_channels",
                                              "storage_full", "op_reused",    "unavailable"};
  return names.at(static_cast<std::size_t>(code));
}

std::string describe(const LinkMessage& message) {
  return std::visit(
      Overloaded{
          [](const InterestWant&) -> std::string { return "interest-want"; },
          [](const InterestFull& m) { return join("interest-full v", m.version, " ", m.channels.size(), " channels"); },
          [](const StrokeRun& m) { return join(m.repair ? "repair " : "run ", describe(m.strokes)); },
          [](const Stored& m) {
            std::ostringstream out;
            out << "stored";
            for (const auto& entry : m.entries)
              out << ' ' << entry.channel << ' ' << entry.origin << ':' << entry.seq;
            return out.str();
          },
          [](const Pull& m) {
            return join("pull #", m.request, " ", m.channel, " past ", describe(m.cursor),
                        m.interested ? " interested" : "");
          },
          [](const PullDone& m) {
            return join("pull-done #", m.request, " ", m.channel, " heads ", describe(m.heads), m.more ? " more" : "",
                        m.complete ? " complete" : "");
          },
          [](const Heads& m) {
            std::ostringstream out;
            out << "heads";
            for (const auto& entry : m.entries)
              out << ' ' << entry.channel << ' ' << describe(entry.heads);
            return out.str();
          },
          [](const Fetch& m) { return join("fetch ", m.channel, " ", m.origin, ":", m.first, "..", m.last); },
          [](const StoredWant& m) { return join("stored-want ", m.channel); },
          [](const StoreFull&) -> std::string { return "store-full"; },
          [](const Digest& m) { return join("digest #", m.round, " ", m.nodes.size(), " nodes"); },
          [](const DigestReply& m) { return join("digest-reply #", m.round, " ", m.children.size(), " children"); },
          [](const Offer& m) { return "offer" + heads_text(m.entries); },
          [](const SettleAsk& m) { return join("settle-ask #", m.token); },
          [](const SettleDone& m) { return join("settle-done #", m.token); },
          [](const OpAsk& m) { return join("op-ask #", m.request, " ", m.channel, " ", m.client, "/", m.op); },
          [](const OpAnswer& m) {
            return m.found ? join("op-answer #", m.request, " ", m.origin, ":", m.seq)
                           : join("op-answer #", m.request, " unknown");
          },
          [](const SignalMessage& m) { return join("signal ", m.channel, " ", m.client); },
          [](const PresenceFull& m) {
            return join("presence-full ", m.channel, " v", m.version, " ", m.present.size(), " present");
          },
          [](const PresenceDelta& m) {
            return join("presence-delta ", m.channel, " from v", m.from, " +", m.joined.size(), " -", m.left.size());
          },
          [](const PresenceWant& m) { return join("presence-want ", m.channel); },
          [](const auto&) -> std::string { return "another message"; },
      },
      message);
}

std::string describe(const Event& event) {
  return std::visit(
      Overloaded{
          [](const ConnOpened& e) { return join("opened ", conn_text(e.conn), " by ", e.client); },
          [](const ConnClosed& e) { return join("closed ", conn_text(e.conn)); },
          [](const Written& e) { return join("written ", conn_text(e.conn), " ", e.cost); },
          [](const Subscribe& e) {
            return join("subscribe ", conn_text(e.conn), " #", e.id, " ", e.channel, " ", start_text(e.start));
          },
          [](const Unsubscribe& e) { return join("unsubscribe ", conn_text(e.conn), " #", e.id, " ", e.channel); },
          [](const Publish& e) {
            return join("publish ", conn_text(e.conn), " #", e.id, " ", e.channel, " ", e.client, "/", e.op,
                        e.retry ? " retry" : "");
          },
          [](const SignalSent& e) { return join("signal ", conn_text(e.conn), " ", e.channel); },
          [](const PresenceAsk& e) { return join("presence ", conn_text(e.conn), " #", e.id, " ", e.channel); },
          [](const HistoryAsk& e) {
            return join("history ", conn_text(e.conn), " ", e.channel, " ", start_text(e.start));
          },
          [](const Committed& e) { return join("committed #", e.ticket); },
          [](const AppendFailed& e) {
            return join("append-failed #", e.ticket, e.error == AppendError::full ? " full" : "");
          },
          [](const ReadDone& e) {
            return join("read-done #", e.ticket, " ", describe(e.strokes), e.more ? " more" : "");
          },
          [](const SinceFound& e) { return join("since-found #", e.ticket, " ", describe(e.before)); },
          [](const OpFound& e) { return join("op-found #", e.ticket, e.known ? " known" : " unknown"); },
          [](const StoreFill& e) -> std::string { return e.refuse_publishes ? "store-fill high" : "store-fill low"; },
          [](const GossipReceived& e) {
            return join(std::holds_alternative<Heartbeat>(e.message.body) ? "heartbeat of " : "interest-delta of ",
                        e.message.node);
          },
          [](const FrameReceived& e) {
            return join("frame of ", e.frame.node, " ", e.frame.messages.size(), " messages");
          },
          [](const PeerConnected& e) { return join("connected ", e.peer); },
          [](const PeerDisconnected& e) { return join("disconnected ", e.peer); },
          [](const Tick&) -> std::string { return "tick"; },
          [](const Drain&) -> std::string { return "drain"; },
          [](const auto&) -> std::string { return "another event"; },
      },
      event);
}

std::string describe(const Effect& effect) {
  return std::visit(
      Overloaded{
          [](const SendSubscribed& e) {
            return join("subscribed ", conn_text(e.conn), " #", e.id, " ", e.channel, " ", mode_text(e.mode), " ",
                        describe(e.cursor));
          },
          [](const SendLive& e) {
            return join("live ", conn_text(e.conn), " ", e.channel, " ", describe(e.cursor),
                        e.complete ? " complete" : " incomplete");
          },
          [](const SendUnsubscribed& e) {
            return join("unsubscribed ", conn_text(e.conn), " #", e.id, " ", e.channel);
          },
          [](const DeliverStrokes& e) { return join("deliver ", describe(e.strokes), " to ", e.to->size()); },
          [](const DeliverSignal& e) {
            return join("deliver-signal ", e.channel, " of ", e.client, " to ", e.to->size());
          },
          [](const SendAck& e) {
            return join("ack ", conn_text(e.conn), " #", e.id, " ", e.channel, " ", e.origin, ":", e.seq, " copies ",
                        e.copies, e.duplicate ? " duplicate" : "");
          },
          [](const SendError& e) { return join("error ", conn_text(e.conn), " ", describe(e.code), " ", e.message); },
          [](const SendPresence& e) {
            return join("presence ", conn_text(e.conn), " ", e.channel, " ", e.clients->size());
          },
          [](const SendPresenceChange& e) {
            return join("presence-change ", e.channel, " +", e.joined.size(), " -", e.left.size(), " to ",
                        e.to->size());
          },
          [](const HistoryPage& e) {
            return join("history ", conn_text(e.conn), " ", e.channel, " ", describe(e.strokes), e.more ? " more" : "",
                        e.complete ? " complete" : " incomplete");
          },
          [](const Append& e) {
            return join("append #", e.ticket, " g", e.generation, " ",
                        groups_text(e.items, [](const Append::Item& item) { return item.stroke; }));
          },
          [](const Repair& e) { return join("repair #", e.ticket, " ", describe(e.strokes)); },
          [](const Note& e) { return join("note ", e.name, " ", e.value); },
          [](const Read& e) { return join("read #", e.ticket, " ", e.channel, " past ", describe(e.after)); },
          [](const FindSince& e) { return join("find-since #", e.ticket, " ", e.channel, " ", e.since); },
          [](const FindOp& e) { return join("find-op #", e.ticket, " ", e.channel, " ", e.client, "/", e.op); },
          [](const SendGossip& e) -> std::string {
            return std::holds_alternative<Heartbeat>(e.message.body) ? "heartbeat" : "interest-delta";
          },
          [](const SendFrame& e) {
            std::string text = join("to ", e.peer, " #", e.frame.number, ":");
            for (const LinkMessage& message : e.frame.messages)
              text += " [" + describe(message) + "]";
            return text;
          },
          [](const Say& e) { return join("says ", e.text); },
          [](const Halt& e) { return join("halts: ", e.reason); },
          [](const auto&) -> std::string { return "another effect"; },
      },
      effect);
}

std::string replace_conns(const std::string& text, const std::function<std::string(std::uint64_t)>& word) {
  std::istringstream words(text);
  std::string replaced;
  for (std::string each; std::getline(words, each, ' ');) {
    const bool conn = each.size() > 4 && each.rfind("conn", 0) == 0 &&
                      std::all_of(each.begin() + 4, each.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    if (conn) each = word(std::stoull(each.substr(4)));
    if (conn && each.empty()) continue;
    replaced += (replaced.empty() ? "" : " ") + each;
  }
  return replaced;
}

Channel channel_of(const LinkMessage& message) {
  return member_channel(message);
}

Channel channel_of(const Event& event) {
  return member_channel(event);
}

Channel channel_of(const Effect& effect) {
  if (const auto* deliver = std::get_if<DeliverStrokes>(&effect)) return deliver->strokes.front()->channel;
  if (const auto* frame = std::get_if<SendFrame>(&effect)) {
    Channel channel;
    for (const LinkMessage& message : frame->frame.messages) {
      const Channel of = channel_of(message);
      if (of.empty()) continue;
      if (!channel.empty() && channel != of) return {};
      channel = of;
    }
    return channel;
  }
  return member_channel(effect);
}

}  // namespace inkmesh::sim
