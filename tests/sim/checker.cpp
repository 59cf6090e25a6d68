#include "checker.h"

#include <algorithm>

namespace inkmesh::sim {
namespace {

std::string name_of(const Stroke& stroke) {
  return stroke.origin + ":" + std::to_string(stroke.seq) + " (" + stroke.client + "/" + std::to_string(stroke.op) +
         ")";
}

/// How long a node may count a copy whose disk was just lost: until it hears of the peer's new life.
constexpr SimUs kLossUnheardUs = 4_s;

}  // namespace

void Checker::violation(const Channel& channel, const std::string& text, const std::string& topic) {
  if (!violation_) violation_ = Violation{agenda_.now(), channel, text, topic};
}

std::vector<std::pair<Origin, Seq>> Checker::concerned() const {
  std::vector<std::pair<Origin, Seq>> concerned;
  const auto truth = violation_ ? channels_.find(violation_->channel) : channels_.end();
  if (truth == channels_.end()) return concerned;
  std::string text = violation_->text + " ";
  for (char& each : text) {
    if (each == '(' || each == ')' || each == ',' || each == ';') each = ' ';
  }
  for (const auto& [origin, strokes] : truth->second.strokes) {
    for (Seq seq = 1; seq <= strokes.size(); ++seq) {
      const StrokePtr& stroke = strokes[seq - 1];
      const bool place = text.find(origin + ":" + std::to_string(seq) + " ") != std::string::npos;
      const bool op = stroke && text.find(stroke->client + "/" + std::to_string(stroke->op) + " ") != std::string::npos;
      if (place || op) concerned.emplace_back(origin, seq);
    }
  }
  return concerned;
}

// ---- what happened
// ----------------------------------------------------------------------------------------------------

void Checker::sent(const Channel& channel, const ClientName& client, Op op, const std::string& data) {
  channels_[channel].sent.try_emplace({client, op}, data);
}

bool Checker::same(const Stroke& a, const Stroke& b) const {
  return a.ts == b.ts && a.client == b.client && a.op == b.op && a.data == b.data;
}

void Checker::check_new(const ChannelTruth& truth, const Stroke& stroke) {
  const auto sent = truth.sent.find({stroke.client, stroke.op});
  if (sent == truth.sent.end()) {
    violation(stroke.channel, "nobody sent " + name_of(stroke));
  } else if (sent->second != stroke.data) {
    violation(stroke.channel, name_of(stroke) + " has other data than was sent");
  }
  if (stroke.ts > kNumberMax) violation(stroke.channel, name_of(stroke) + " has a ts of 2^53 or more");
}

void Checker::told(const StrokePtr& stroke) {
  ChannelTruth& truth = channels_[stroke->channel];
  std::vector<StrokePtr>& strokes = truth.strokes[stroke->origin];
  if (stroke->seq == 0 || !valid_origin(stroke->origin)) {
    violation(stroke->channel, "no such place: " + name_of(*stroke));
    return;
  }
  if (strokes.size() < stroke->seq) strokes.resize(stroke->seq);
  StrokePtr& known = strokes[stroke->seq - 1];
  if (known == stroke) return;
  if (known) {
    if (!same(*known, *stroke)) {
      violation(stroke->channel, "two contents: " + name_of(*known) + " and " + name_of(*stroke));
    }
    return;
  }
  known = stroke;
  check_new(truth, *stroke);
  const Seq seq = stroke->seq;
  const bool after = seq < 2 || !strokes[seq - 2] || strokes[seq - 2]->ts < stroke->ts;
  const bool before = seq >= strokes.size() || !strokes[seq] || strokes[seq]->ts > stroke->ts;
  if (!after || !before) violation(stroke->channel, "the ts of " + name_of(*stroke) + " does not rise with its seq");
}

unsigned Checker::copies(const Channel& channel, const Origin& origin, Seq seq) const {
  return static_cast<unsigned>(std::count_if(disks_.begin(), disks_.end(), [&](const store::MemoryStore* disk) {
    return disk->head(channel, origin) >= seq;
  }));
}

void Checker::acked(const SendAck& ack, const ClientName& client, Op op, unsigned copies_least) {
  ++acks_;
  ChannelTruth& truth = channels_[ack.channel];
  const std::string name =
      "ack of " + client + "/" + std::to_string(op) + " at " + ack.origin + ":" + std::to_string(ack.seq);
  const auto strokes = truth.strokes.find(ack.origin);
  const StrokePtr stroke = strokes == truth.strokes.end() || ack.seq == 0 || strokes->second.size() < ack.seq
                               ? nullptr
                               : strokes->second[ack.seq - 1];
  if (!stroke) {
    violation(ack.channel, name + ": nobody has stored that");
    return;
  }
  if (stroke->client != client || stroke->op != op) violation(ack.channel, name + " is for " + name_of(*stroke));
  if (stroke->ts != ack.ts) violation(ack.channel, name + " has another ts");
  if (ack.copies < copies_least) violation(ack.channel, name + " says " + std::to_string(ack.copies) + " copies");
  const unsigned there = copies(ack.channel, ack.origin, ack.seq);
  const bool lost = last_disk_loss_ && *last_disk_loss_ + kLossUnheardUs > agenda_.now();
  if (there < ack.copies && !lost) {
    violation(ack.channel,
              name + " says " + std::to_string(ack.copies) + " copies, there are " + std::to_string(there));
  }
  truth.acked.push_back(Acked{agenda_.now(), ack.origin, ack.seq});
}

void Checker::complete(const std::string& who, const Channel& channel, const Cursor& cursor, SimUs begun) {
  for (const Acked& acked : channels_[channel].acked) {
    if (acked.at + options_.complete_grace_us >= begun) return;
    if (cursor.at(acked.origin) < acked.seq) {
      violation(channel, who + " complete without " + acked.origin + ":" + std::to_string(acked.seq) +
                             ", which was acknowledged " + std::to_string((begun - acked.at) / 1000) +
                             " ms before it was asked for");
      return;
    }
  }
}

// ---- what may be hurt
// -------------------------------------------------------------------------------------------------

bool Checker::elsewhere(NodeIndex node, const Channel& channel, const Origin& origin, Seq seq) const {
  for (NodeIndex other = 0; other < disks_.size(); ++other) {
    if (other != node && disks_[other]->intact(channel, origin, seq)) return true;
  }
  return false;
}

bool Checker::expendable(NodeIndex node) const {
  for (const auto& [channel, truth] : channels_) {
    for (const Acked& acked : truth.acked) {
      if (!elsewhere(node, channel, acked.origin, acked.seq)) return false;
    }
    for (const auto& [origin, strokes] : truth.strokes) {
      for (Seq seq = 1; seq <= strokes.size(); ++seq) {
        // Whoever has a damaged record must find it again.
        for (NodeIndex other = 0; other < disks_.size(); ++other) {
          if (other == node || disks_[other]->head(channel, origin) < seq) continue;
          if (!disks_[other]->intact(channel, origin, seq) && !elsewhere(node, channel, origin, seq)) return false;
        }
      }
    }
  }
  return true;
}

Cursor Checker::stored(const Channel& channel) const {
  Cursor stored;
  const auto truth = channels_.find(channel);
  if (truth == channels_.end()) return stored;
  for (const auto& [origin, strokes] : truth->second.strokes) {
    for (const store::MemoryStore* disk : disks_)
      stored.raise(origin, disk->head(channel, origin));
  }
  return stored;
}

}  // namespace inkmesh::sim
