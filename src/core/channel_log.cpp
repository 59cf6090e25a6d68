#include "core/channel_log.h"

#include <algorithm>
#include <utility>

#include "core/fanout.h"

namespace inkmesh::core {
namespace {

template <typename Head>
Cursor cursor_by(const ChannelLog& log, Head head) {
  Cursor::Map seqs;
  seqs.reserve(log.origins.size());
  for (const auto& [origin, origin_log] : log.origins) {
    if (head(origin_log) != 0) seqs.emplace_back(origin, head(origin_log));
  }
  return Cursor(std::move(seqs));
}

template <typename Marks>
auto place_of(Marks& marks, NodeIx node) {
  // Ascending, so not past the node's own number; with one of nearly every peer there, or just before it: in hundreds
  // of nodes a search would miss the cache at each step.
  const auto begin = marks.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(std::min<std::size_t>(marks.size(), std::size_t{node} + 1));
  for (std::ptrdiff_t back = 1; back <= std::min<std::ptrdiff_t>(end - begin, 2); ++back) {
    if ((end - back)->node == node) return end - back;
  }
  return std::lower_bound(begin, end, node, [](const PeerMark& mark, NodeIx of) { return mark.node < of; });
}

}  // namespace

PeerMark& OriginLog::mark(NodeIx node) {
  const auto it = place_of(marks, node);
  if (it != marks.end() && it->node == node) return *it;
  PeerMark fresh;
  fresh.node = node;
  return *marks.insert(it, fresh);
}

const PeerMark* OriginLog::find_mark(NodeIx node) const {
  const auto it = place_of(marks, node);
  return it == marks.end() || it->node != node ? nullptr : &*it;
}

ChannelLog::ChannelLog() = default;
ChannelLog::~ChannelLog() = default;

OriginLog& ChannelLog::of(const Origin& origin) {
  const auto [it, made] = origins.try_emplace(origin);
  if (made) it->second.origin = &it->first;
  return it->second;
}

Unconfirmed* ChannelLog::find_unconfirmed(NodeIx peer) {
  return const_cast<Unconfirmed*>(std::as_const(*this).find_unconfirmed(peer));
}

const Unconfirmed* ChannelLog::find_unconfirmed(NodeIx peer) const {
  const auto it =
      std::find_if(unconfirmed.begin(), unconfirmed.end(), [peer](const Unconfirmed& u) { return u.peer == peer; });
  return it == unconfirmed.end() ? nullptr : &*it;
}

bool ChannelLog::is_home(NodeIx node) const {
  return std::find(homes.begin(), homes.end(), node) != homes.end();
}

bool ChannelLog::is_standin(NodeIx node) const {
  return std::find(standins.begin(), standins.end(), node) != standins.end();
}

Cursor ChannelLog::shown() const {
  return cursor_by(*this, [](const OriginLog& log) { return log.shown; });
}

Cursor ChannelLog::committed() const {
  return cursor_by(*this, [](const OriginLog& log) { return log.committed; });
}

Cursor ChannelLog::appended() const {
  return cursor_by(*this, [](const OriginLog& log) { return log.appended; });
}

}  // namespace inkmesh::core
