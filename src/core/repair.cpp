#include "core/repair.h"

#include <utility>

namespace inkmesh::core {

void Repairs::damaged(const Channel& channel, const ReadDone::Damaged& record) {
  const Record key{channel, record.origin, record.seq};
  if (wanted_.count(key) != 0 || wanted_.size() >= wanted_max_) return;
  turn_.say(Severity::error, "damaged record: channel " + channel + ", " + record.origin + " " +
                                 std::to_string(record.seq) + " fails its checksum; asking peers for it");
  ask(key, wanted_[key]);
}

void Repairs::ask(const Record& record, Wanted& wanted) {
  const auto& [channel, origin, seq] = record;
  wanted.asked_ms = turn_.ms();
  // The homes are the likeliest to have it: their order first, a next one at each try.
  std::vector<NodeIx> peers;
  for (const NodeIx node : cluster_.order(channel_hash(channel))) {
    if (node != cluster_.self() && membership_.up(node)) peers.push_back(node);
  }
  if (peers.empty()) return;
  links_.send(peers[wanted.tries++ % peers.size()], Fetch{channel, origin, seq, seq}, 64 + channel.size());
}

void Repairs::on_run(const StrokeRun& run) {
  Repair repair;
  std::vector<Record> records;
  for (const StrokePtr& stroke : run.strokes) {
    const Record key{stroke->channel, stroke->origin, stroke->seq};
    const auto it = wanted_.find(key);
    if (it == wanted_.end() || it->second.writing != 0) continue;
    if (repair.ticket == 0) repair.ticket = turn_.next_ticket();
    it->second.writing = repair.ticket;
    repair.strokes.push_back(stroke);
    records.push_back(key);
  }
  if (repair.strokes.empty()) return;
  writing_.emplace(repair.ticket, std::move(records));
  turn_.emit(std::move(repair));
}

bool Repairs::committed(Ticket ticket) {
  const auto it = writing_.find(ticket);
  if (it == writing_.end()) return false;
  for (const Record& record : it->second)
    wanted_.erase(record);
  repaired_ += it->second.size();
  turn_.say(Severity::info, "repaired " + std::to_string(it->second.size()) + " damaged record(s) from a peer");
  writing_.erase(it);
  return true;
}

bool Repairs::failed(Ticket ticket) {
  const auto it = writing_.find(ticket);
  if (it == writing_.end()) return false;
  for (const Record& record : it->second)
    wanted_[record].writing = 0;
  writing_.erase(it);
  return true;
}

void Repairs::tick() {
  for (auto& [record, wanted] : wanted_) {
    if (wanted.writing == 0 && turn_.ms() >= wanted.asked_ms + kAgainMs) ask(record, wanted);
  }
}

}  // namespace inkmesh::core
