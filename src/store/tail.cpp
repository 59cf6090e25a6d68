#include "store/tail.h"

#include <algorithm>
#include <utility>

namespace inkmesh::store {

const Tail::Log* Tail::ChannelTail::find(std::string_view origin) const {
  const auto log = std::find_if(logs.begin(), logs.end(), [&](const Log& one) { return one.origin == origin; });
  return log == logs.end() ? nullptr : &*log;
}

bool Tail::add(const Append::Item& item) {
  const Stroke& stroke = *item.stroke;
  const auto [known, fresh] = channels_.try_emplace(stroke.channel);
  ChannelTail& channel = known->second;
  auto log = std::find_if(channel.logs.begin(), channel.logs.end(),
                          [&](const Log& one) { return one.origin == stroke.origin; });
  if (log == channel.logs.end()) log = channel.logs.insert(log, Log{stroke.origin, stroke.seq, {}});
  log->at.push_back(static_cast<std::uint32_t>(channel.items.size()));
  channel.items.push_back(item);
  ops_.insert(item.stroke);
  ++strokes_;
  bytes_ += cost_of(stroke);
  return fresh;
}

void Tail::clear() {
  ops_.clear();
  channels_.clear();
  strokes_ = 0;
  bytes_ = 0;
}

Seq Tail::head(std::string_view channel, std::string_view origin) const {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return 0;
  const Log* log = found->second.find(origin);
  return log == nullptr ? 0 : log->first + log->at.size() - 1;
}

StrokePtr Tail::find_op(std::string_view channel, std::string_view client, Op op) const {
  const auto found = ops_.find(core::OpName(channel, client, op));
  return found == ops_.end() ? nullptr : *found;
}

void Tail::collect(const Channel& channel, const Cursor& after, std::string_view only, std::size_t max,
                   Strokes& strokes) const {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  for (const Log& log : found->second.logs) {
    if (!only.empty() && log.origin != only) continue;
    const Seq seen = after.at(log.origin);
    const std::size_t begin = seen < log.first ? 0 : static_cast<std::size_t>(seen - log.first + 1);
    const std::size_t end = begin + std::min(max, log.at.size() - std::min(begin, log.at.size()));
    for (std::size_t i = begin; i < end; ++i)
      strokes.push_back(found->second.items[log.at[i]].stroke);
  }
}

std::vector<Append::Item> Tail::by_channel() const {
  std::vector<const std::pair<const std::string_view, ChannelTail>*> channels;
  channels.reserve(channels_.size());
  for (const auto& entry : channels_)
    channels.push_back(&entry);
  std::sort(channels.begin(), channels.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  std::vector<Append::Item> items;
  items.reserve(strokes_);
  for (const auto* entry : channels)
    items.insert(items.end(), entry->second.items.begin(), entry->second.items.end());
  return items;
}

}  // namespace inkmesh::store
