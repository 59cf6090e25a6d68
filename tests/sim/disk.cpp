#include "disk.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace inkmesh::sim {

Disk::Disk(Agenda& agenda, Random random, const Options& options, store::MemoryStore& store, Ports ports)
    : agenda_(agenda), random_(random), options_(options), store_(store), ports_(std::move(ports)) {}

Disk::~Disk() {
  *alive_ = false;
}

// ---- the writer
// -------------------------------------------------------------------------------------------------------

void Disk::submit(Append&& append) {
  submit(Write(std::move(append)));
}

void Disk::submit(Repair&& repair) {
  submit(Write(std::move(repair)));
}

void Disk::submit(const Note& note) {
  submit(Write(note));
}

void Disk::submit(Write&& write) {
  waiting_.push_back(std::move(write));
  given_at_.push_back(agenda_.now());
  start();
}

bool Disk::slow(SimUs given_at) const {
  const SimUs interval_us = options_.durability == Durability::async ? options_.commit_interval_us : 0;
  return agenda_.now() > given_at + interval_us + kSlowUs;
}

bool Disk::slow_since(SimUs since) const {
  return slow_until_ > since || (!given_at_.empty() && slow(given_at_.front()));
}

SimUs Disk::commit_delay() {
  if (random_.chance(options_.slow_commit_per_mille)) return random_.between(1000, options_.slow_commit_us);
  return random_.between(options_.commit_us_min, options_.commit_us_max);
}

void Disk::start() {
  if (busy_ || waiting_.empty()) return;
  busy_ = true;
  SimUs begin = agenda_.now();
  if (options_.durability == Durability::async) begin = std::max(begin, last_commit_ + options_.commit_interval_us);
  agenda_.at(begin, [this, alive = alive_] {
    if (!*alive) return;
    last_commit_ = agenda_.now();
    take_group();
    agenda_.after(commit_delay(), [this, alive] {
      if (*alive) commit();
    });
  });
}

void Disk::take_group() {
  do {
    group_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (std::holds_alternative<Repair>(group_.front())) return;
  } while (!waiting_.empty() && waiting_.front().index() == group_.front().index() &&
           group_.size() < options_.appends_per_commit_max);
}

void Disk::commit() {
  const std::vector<Write> group = std::exchange(group_, {});
  if (slow(given_at_.front())) slow_until_ = agenda_.now();
  given_at_.erase(given_at_.begin(), given_at_.begin() + static_cast<std::ptrdiff_t>(group.size()));
  if (const auto* repair = std::get_if<Repair>(&group.front())) {
    const store::WriteOutcome outcome = store_.repair(*repair);
    if (outcome.result == store::WriteResult::ok) {
      answer_later(Committed{repair->ticket});
    } else {
      answer_later(AppendFailed{repair->ticket, AppendError::full});
    }
  } else if (std::holds_alternative<Note>(group.front())) {
    std::vector<const Note*> notes;
    for (const Write& write : group)
      notes.push_back(&std::get<Note>(write));
    store_.keep(notes);
  } else {
    commit_appends(group);
    if (!*alive_) return;
  }
  busy_ = false;
  check_fill();
  start();
}

void Disk::commit_appends(const std::vector<Write>& group) {
  std::vector<const Append*> appends;
  std::uint64_t generation_max = 0;
  for (const Write& write : group) {
    const auto& append = std::get<Append>(write);
    if (refused(append)) continue;
    appends.push_back(&append);
    generation_max = std::max(generation_max, append.generation);
  }
  store::WriteOutcome outcome;
  if (!appends.empty()) outcome = store_.append(appends);
  if (outcome.result == store::WriteResult::fatal) {
    *alive_ = false;
    ports_.fatal(outcome.detail);
    return;
  }
  const bool ok = outcome.result == store::WriteResult::ok;
  const auto alive = alive_;
  for (const Write& write : group) {
    const auto& append = std::get<Append>(write);
    if (refused(append)) {
      answer_later(AppendFailed{append.ticket, failure_->error});
    } else if (ok) {
      if (*alive) answer_later(Committed{append.ticket});
      // It may crash the node: between the commit and the word of it. The rest of the group is stored all the same.
      ports_.stored(append);
    } else {
      answer_later(AppendFailed{append.ticket, AppendError::full});
    }
  }
  if (!*alive) return;
  if (!ok) failure_ = Failure{generation_max, AppendError::full};
}

void Disk::answer_later(Event&& event) {
  last_answer_ = std::max(last_answer_, agenda_.now() + random_.below(300));
  agenda_.at(last_answer_, [this, alive = alive_, event = std::move(event)]() mutable {
    if (*alive) ports_.answer(std::move(event));
  });
}

void Disk::check_fill() {
  const StoreFill fill = [this] {
    const store::StoreUsage usage = store_.usage();
    return StoreFill{usage.used_bytes >= usage.map_bytes / 10 * 9};
  }();
  if (fill.refuse_publishes == refusing_) return;
  refusing_ = fill.refuse_publishes;
  answer_later(fill);
}

void Disk::crash() {
  *alive_ = false;
  if (group_.empty() || !random_.chance(500)) return;
  std::vector<const Append*> appends;
  for (const Write& write : group_) {
    const auto* append = std::get_if<Append>(&write);
    if (append != nullptr && !refused(*append)) appends.push_back(append);
  }
  if (appends.empty() || store_.append(appends).result != store::WriteResult::ok) return;
  for (const Append* append : appends)
    ports_.stored(*append);
}

// ---- the reader
// -------------------------------------------------------------------------------------------------------

void Disk::read_later(std::function<Event()> look) {
  last_read_ = std::max(last_read_, agenda_.now() + random_.below(options_.read_us_max / 2 + 1));
  if (last_read_ > agenda_.now() + kSlowUs) slow_until_ = last_read_;
  agenda_.at(last_read_, [this, alive = alive_, look = std::move(look)] {
    if (!*alive) return;
    // Taken now, told later: what is committed in between is not in it.
    Event seen = look();
    last_read_ = std::max(last_read_, agenda_.now() + random_.below(options_.read_us_max / 2 + 1));
    agenda_.at(last_read_, [this, alive, seen = std::move(seen)]() mutable {
      if (*alive) ports_.answer(std::move(seen));
    });
  });
}

void Disk::submit(const Read& read) {
  read_later([this, read]() -> Event { return store_.read(read); });
}

void Disk::submit(const FindSince& find) {
  read_later([this, find]() -> Event { return store_.find_since(find); });
}

void Disk::submit(const FindOp& find) {
  read_later([this, find]() -> Event {
    return OpFound{find.ticket, store_.find_op(find.channel, find.client, find.op)};
  });
}

}  // namespace inkmesh::sim
