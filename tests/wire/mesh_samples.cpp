#include "mesh_samples.h"

#include <algorithm>
#include <tuple>
#include <type_traits>
#include <utility>

namespace inkmesh::test {
namespace {

template <class T, class Make>
std::vector<T> some(Random& random, std::size_t count_max, Make make) {
  std::vector<T> values;
  for (std::uint64_t n = random.between(0, count_max); n > 0; --n)
    values.push_back(make());
  return values;
}

std::vector<std::uint64_t> hashes(Random& random) {
  return some<std::uint64_t>(random, 9, [&random] { return random.bits(); });
}

DigestNode digest_node(Random& random) {
  const auto depth = static_cast<std::uint8_t>(random.between(0, 16));
  const std::uint64_t prefix = depth == 0 ? 0 : random.bits() >> (64U - 4U * depth) << (64U - 4U * depth);
  return {depth, prefix, random.bits()};
}

PresenceEntry present(Random& random) {
  return {random.bits(), random.client()};
}

Offer::Entry offer_entry(Random& random) {
  return {random.channel(), some<Offer::Head>(random, 4, [&random] {
            return Offer::Head{random.origin(), random.number(), random.bits()};
          })};
}

OpAnswer op_answer(Random& random) {
  if (random.chance(3)) return {random.bits(), false, {}, 0, 0, 0};
  return {random.bits(), true, random.origin(), random.number(1), random.number(), random.bits()};
}

TwinLives twin_lives(Random& random) {
  return {random.node(),
          random.epoch(),
          random.epoch(),
          random.chance(2) ? "10.0.0.7" : "",
          random.chance(2) ? "fe80::1%eth0" : "",
          random.chance(2),
          random.chance(2)};
}

Fetch fetch(Random& random) {
  const Seq first = random.number(1);
  return {random.channel(), random.origin(), first, random.number(first)};
}

// Every field, by name: a struct that gains one does not compile until it is compared.

#define INKMESH_FIELDS(Type, ...)      \
  auto fields(const Type& value) {     \
    const auto& [__VA_ARGS__] = value; \
    return std::tie(__VA_ARGS__);      \
  }

INKMESH_FIELDS(Heartbeat, list_generation, interest_version, interest_digest, connections, wall_us, full, ready, hollow,
               twins)
INKMESH_FIELDS(TwinLives, node, heard, other, heard_address, other_address, both, other_later)
INKMESH_FIELDS(WhoIsThere, heard, other)
INKMESH_FIELDS(StillHere, other, reached, up_ms)
INKMESH_FIELDS(InterestDelta, from, opened, closed)
INKMESH_FIELDS(GossipMessage, node, epoch, body)
INKMESH_FIELDS(InterestFull, version, channels)
INKMESH_FIELDS(Stroke, channel, origin, seq, ts, client, op, data, duplicate)
INKMESH_FIELDS(StrokeRun, strokes, repair)
INKMESH_FIELDS(Stored::Entry, channel, origin, seq)
INKMESH_FIELDS(Stored, entries)
INKMESH_FIELDS(Pull, request, channel, cursor, interested)
INKMESH_FIELDS(PullDone, request, channel, heads, more, complete)
INKMESH_FIELDS(Heads::Entry, channel, heads)
INKMESH_FIELDS(Heads, entries)
INKMESH_FIELDS(Fetch, channel, origin, first, last)
INKMESH_FIELDS(StoredWant, channel)
INKMESH_FIELDS(DigestNode, depth, prefix, hash)
INKMESH_FIELDS(Digest, round, nodes)
INKMESH_FIELDS(DigestReply, round, children)
INKMESH_FIELDS(Offer::Head, origin, seq, chain)
INKMESH_FIELDS(Offer::Entry, channel, heads)
INKMESH_FIELDS(Offer, entries)
INKMESH_FIELDS(SettleAsk, token, knew, hollow)
INKMESH_FIELDS(SettleDone, token)
INKMESH_FIELDS(OpAsk, request, channel, client, op)
INKMESH_FIELDS(OpAnswer, request, found, origin, seq, ts, data_hash)
INKMESH_FIELDS(SignalMessage, channel, client, data)
INKMESH_FIELDS(PresenceEntry, conn, client)
INKMESH_FIELDS(PresenceFull, channel, version, present)
INKMESH_FIELDS(PresenceDelta, channel, from, joined, left)
INKMESH_FIELDS(PresenceWant, channel)
INKMESH_FIELDS(Frame, node, epoch, session, number, messages)
#undef INKMESH_FIELDS

template <class T>
bool equal(const T& a, const T& b);
template <class... T>
bool equal(const std::variant<T...>& a, const std::variant<T...>& b);
bool equal(const StrokePtr& a, const StrokePtr& b);

template <class T>
bool equal(const std::vector<T>& a, const std::vector<T>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return equal(x, y); });
}

template <class... T>
bool equal(const std::variant<T...>& a, const std::variant<T...>& b) {
  if (a.index() != b.index()) return false;
  return std::visit([&b](const auto& x) { return equal(x, std::get<std::decay_t<decltype(x)>>(b)); }, a);
}

bool equal(const StrokePtr& a, const StrokePtr& b) {
  return equal(*a, *b);
}

template <class T>
bool equal(const T& a, const T& b) {
  if constexpr (std::is_empty_v<T>) {
    return true;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string> || std::is_same_v<T, Cursor>) {
    return a == b;
  } else {
    const auto all = []<std::size_t... I>(const auto& x, const auto& y, std::index_sequence<I...>) {
      return (equal(std::get<I>(x), std::get<I>(y)) && ...);
    };
    const auto x = fields(a);
    return all(x, fields(b), std::make_index_sequence<std::tuple_size_v<std::decay_t<decltype(x)>>>{});
  }
}

}  // namespace

StrokeRun random_run(Random& random, std::size_t strokes_max) {
  StrokeRun run{{}, random.chance(4)};
  const Channel channel = random.channel();
  const Origin origin = random.origin();
  const std::size_t count = random.between(1, strokes_max);
  const Seq first = random.chance(8) ? kNumberMax - count + 1 : random.between(1, 100'000);
  ClientName client = random.client();
  for (std::size_t i = 0; i < count; ++i) {
    if (random.chance(3)) client = random.client();
    run.strokes.push_back(std::make_shared<Stroke>(Stroke{channel, origin, first + i, random.number(), client,
                                                          random.number(1), random.json(3), random.chance(5)}));
  }
  return run;
}

std::vector<LinkMessage> one_of_each(Random& r) {
  std::vector<LinkMessage> all;
  all.push_back(InterestWant{});
  all.push_back(InterestFull{r.number(), hashes(r)});
  all.push_back(random_run(r, 5));
  all.push_back(Stored{some<Stored::Entry>(r, 4, [&r] { return Stored::Entry{r.channel(), r.origin(), r.number()}; })});
  all.push_back(Pull{r.bits(), r.channel(), r.cursor(4), r.chance(2)});
  all.push_back(PullDone{r.bits(), r.channel(), r.cursor(4), r.chance(2), r.chance(2)});
  all.push_back(Heads{some<Heads::Entry>(r, 4, [&r] { return Heads::Entry{r.channel(), r.cursor(3)}; })});
  all.push_back(fetch(r));
  all.push_back(StoredWant{r.channel()});
  all.push_back(StoreFull{});
  all.push_back(Digest{r.bits(), some<DigestNode>(r, 5, [&r] { return digest_node(r); })});
  all.push_back(DigestReply{r.bits(), some<DigestNode>(r, 5, [&r] { return digest_node(r); })});
  all.push_back(Offer{some<Offer::Entry>(r, 3, [&r] { return offer_entry(r); })});
  all.push_back(SettleAsk{r.bits(), r.chance(2) ? r.epoch() : Epoch{}, r.chance(2)});
  all.push_back(SettleDone{r.bits()});
  all.push_back(OpAsk{r.bits(), r.channel(), r.client(), r.number(1)});
  all.push_back(op_answer(r));
  all.push_back(SignalMessage{r.channel(), r.client(), r.json(3)});
  all.push_back(PresenceFull{r.channel(), r.number(), some<PresenceEntry>(r, 4, [&r] { return present(r); })});
  all.push_back(
      PresenceDelta{r.channel(), r.number(), some<PresenceEntry>(r, 4, [&r] { return present(r); }), hashes(r)});
  all.push_back(PresenceWant{r.channel()});
  all.push_back(WhoIsThere{r.epoch(), r.epoch()});
  all.push_back(StillHere{r.epoch(), r.chance(2), r.number()});
  return all;
}

Frame random_frame(Random& random) {
  Frame frame{random.node(), random.epoch(), random.bits(), random.number(1), one_of_each(random)};
  std::vector<LinkMessage> kept;
  for (LinkMessage& message : frame.messages) {
    if (random.chance(2)) kept.push_back(std::move(message));
  }
  frame.messages = std::move(kept);
  return frame;
}

GossipMessage random_gossip(Random& random) {
  GossipMessage message{random.node(), random.epoch(), {}};
  if (random.chance(2)) {
    message.body = InterestDelta{random.number(), hashes(random), hashes(random)};
  } else {
    message.body = Heartbeat{random.bits(),
                             random.number(),
                             random.bits(),
                             static_cast<std::uint32_t>(random.number(0, UINT32_MAX)),
                             random.number(),
                             random.chance(2),
                             random.chance(2),
                             random.chance(2),
                             some<TwinLives>(random, kTwinLivesMax, [&random] { return twin_lives(random); })};
  }
  return message;
}

bool same(const Frame& a, const Frame& b) {
  return equal(a, b);
}

bool same(const GossipMessage& a, const GossipMessage& b) {
  return equal(a, b);
}

}  // namespace inkmesh::test
