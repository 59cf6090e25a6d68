#include "core/channel_log.h"

#include <algorithm>
#include <utility>

#include "core/fanout.h"

namespace inkmesh::core {
namespace {

template <typename Head>
Cursor cursor_by(const ChannelLog& log, Head head) {
  Cursor::Map seqs;
  for (const auto& [origin, origin_log] : log.origins) {
    if (head(origin_log) != 0) seqs.emplace_hint(seqs.end(), origin, head(origin_log));
  }
  return Cursor(std::move(seqs));
}

}  // namespace

PeerMark& OriginLog::mark(NodeIx node) {
  const auto it = std::find_if(marks.begin(), marks.end(), [node](const PeerMark& m) { return m.node == node; });
  if (it != marks.end()) return *it;
  marks.emplace_back().node = node;
  return marks.back();
}

const PeerMark* OriginLog::find_mark(NodeIx node) const {
  const auto it = std::find_if(marks.begin(), marks.end(), [node](const PeerMark& m) { return m.node == node; });
  return it == marks.end() ? nullptr : &*it;
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
