#include "sim_node.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "bounds.h"
#include "core/invariant.h"
#include "describe.h"

namespace inkmesh::sim {
namespace {

constexpr TimeUs kWallBaseUs = 1'763'890'000'000'000;

/// A loop that keeps something waiting for so long is not well.
constexpr SimUs kSlowUs = 100_ms;

struct BrokenInvariant {
  const char* what;
};

}  // namespace

SimNode::SimNode(const Wiring& wiring, NodeIndex index, Random random)
    : wiring_(wiring),
      index_(index),
      random_(random),
      copies_(wiring.options.replicas, wiring.options.ack),
      edge_(wiring.agenda, random_.split(), wiring.options, [this](Event&& event) { feed(std::move(event)); }) {
  monotonic_base_ms_ = random_.below(1'000'000);
  core::on_broken_invariant = [](const char* what) { throw BrokenInvariant{what}; };
}

Now SimNode::now() const {
  const SimUs now_us = wiring_.agenda.now();
  const auto wall = static_cast<std::int64_t>(kWallBaseUs + now_us) + clock_offset_us_;
  return Now{monotonic_base_ms_ + now_us / 1000, static_cast<TimeUs>(wall)};
}

void SimNode::record(const Channel& channel, const std::string& text) {
  // A reader knows clients, not the numbers of their connections.
  const auto name = [this](std::uint64_t conn) {
    const ClientName* client = edge_.client(conn);
    return client != nullptr ? *client : "conn" + std::to_string(conn);
  };
  wiring_.trace.line(wiring_.agenda.now(), channel, id() + " " + replace_conns(text, name));
}

// ---- lives
// ------------------------------------------------------------------------------------------------------------

void SimNode::start() {
  if (up() || absent_) return;
  ++life_;
  epoch_ = epoch_from_bits(random_.next());
  CoreSettings settings;
  settings.self = id();
  settings.epoch = epoch_;
  running_list_ = settings.nodes = list_.empty() ? wiring_.ids : list_;
  ail();
  store_high_ = false;
  running_copies_ = copies_;
  settings.replicas = running_copies_.first;
  settings.ack = running_copies_.second;
  settings.durability = wiring_.options.durability;
  settings.outbox_bytes = wiring_.options.outbox_bytes;
  settings.limits = wiring_.options.limits;
  settings.seed = random_.next();
  settings.notes = store_.notes();
  if (wiring_.trace.recording()) record({}, "starts as " + origin());
  disk_ = std::make_unique<Disk>(
      wiring_.agenda, random_.split(), wiring_.options, store_,
      Disk::Ports{[this](Event&& event) { feed(std::move(event)); }, [this](const Append& append) { stored(append); },
                  [this](const std::string& reason) {
                    wiring_.checker.violation({}, id() + "'s store is broken: " + reason);
                  }});
  core_ = std::make_unique<Core>(std::move(settings), store_.heads());
  inbox_.clear();
  fed_at_.clear();
  turn_set_ = false;
  tick_at_ = 0;
  wiring_.network.node_started(index_);
  disk_->check_fill();
  schedule_tick();
}

void SimNode::crash(bool machine) {
  if (!up()) return;
  if (wiring_.trace.recording()) record({}, machine ? "crashes with its machine" : "crashes");
  disk_->crash();
  core_.reset();
  ++life_;
  inbox_.clear();
  fed_at_.clear();
  begun_.clear();
  publishing_.clear();
  storing_.clear();
  reading_.clear();
  storing_bytes_ = 0;
  disarm();
  wiring_.network.node_stopped(index_, !machine);
  edge_.crash(machine ? 2_s : 20_ms);
  if (on_crash) on_crash();
}

void SimNode::stored(const Append& append) {
  for (const Append::Item& item : append.items)
    wiring_.checker.told(item.stroke);
  if (up() && std::exchange(crash_at_commit_, false)) crash(false);
}

void SimNode::check_fill() {
  if (up()) disk_->check_fill();
}

bool SimNode::well_since(SimUs since) const {
  const SimUs now = wiring_.agenda.now();
  const bool slow = !fed_at_.empty() && now - fed_at_.front() > kSlowUs;
  return up() && !slow && !store_high_ && ailed_at_ <= since && !disk_->slow_since(since);
}

void SimNode::note_health(const Event& event, SimUs fed_at) {
  if (wiring_.agenda.now() - fed_at > kSlowUs) ail();
  if (const auto* fill = std::get_if<StoreFill>(&event)) {
    store_high_ = fill->refuse_publishes;
    ail();
  } else if (std::holds_alternative<AppendFailed>(event)) {
    ail();
  } else if (const auto* read = std::get_if<ReadDone>(&event)) {
    if (!read->damaged.empty()) ail();
  }
}

void SimNode::note_answer(const Event& event) {
  if (const auto* read = std::get_if<ReadDone>(&event)) {
    reading_.erase(read->ticket);
    return;
  }
  const auto* committed = std::get_if<Committed>(&event);
  const auto* failed = std::get_if<AppendFailed>(&event);
  if (committed == nullptr && failed == nullptr) return;
  const auto stored = storing_.find(committed != nullptr ? committed->ticket : failed->ticket);
  if (stored == storing_.end()) return;
  storing_bytes_ -= stored->second;
  storing_.erase(stored);
}

void SimNode::check_bounds() {
  if (wiring_.agenda.now() < bounds_at_) return;
  bounds_at_ = wiring_.agenda.now() + 500_ms;
  const Excess past = past_bounds(*this, wiring_.options);
  if (!past.text.empty()) wiring_.checker.violation(past.channel, id() + " has too much " + past.text, past.topic);
}

// ---- turns
// ------------------------------------------------------------------------------------------------------------

void SimNode::feed(Event&& event) {
  if (!up()) return;
  if (const auto* publish = std::get_if<Publish>(&event)) wiring_.ack_watch.given(index_, *publish);
  inbox_.push_back(std::move(event));
  fed_at_.push_back(wiring_.agenda.now());
  schedule_turn();
}

void SimNode::schedule_turn() {
  if (std::exchange(turn_set_, true)) return;
  const SimUs when = std::max(wiring_.agenda.now() + random_.below(wiring_.options.turn_us_max + 1), paused_until_);
  wiring_.agenda.at(when, [this, life = life_] {
    if (life != life_ || !up()) return;
    turn_set_ = false;
    if (wiring_.agenda.now() < paused_until_) {
      schedule_turn();
    } else {
      take_turn();
    }
  });
}

void SimNode::schedule_tick() {
  const MonotonicMs due_ms = std::max(core_->next_wakeup(), now().monotonic_ms);
  // Half a millisecond past the tick's start, so that the clock has reached it; never at once, so that time moves.
  const SimUs when = std::max((due_ms - monotonic_base_ms_) * 1000, wiring_.agenda.now() + 500);
  if (tick_at_ > wiring_.agenda.now() && tick_at_ <= when) return;
  tick_at_ = when;
  wiring_.agenda.at(when, [this, when, life = life_] {
    if (life != life_ || tick_at_ != when) return;
    feed(Tick{});
  });
}

void SimNode::take_turn() {
  std::vector<Event> events = std::exchange(inbox_, {});
  std::vector<SimUs> fed_at = std::exchange(fed_at_, {});
  const std::size_t limit = 1 + random_.below(wiring_.options.events_per_turn_max);
  if (events.size() > limit) {
    inbox_.assign(std::make_move_iterator(events.begin() + static_cast<std::ptrdiff_t>(limit)),
                  std::make_move_iterator(events.end()));
    fed_at_.assign(fed_at.begin() + static_cast<std::ptrdiff_t>(limit), fed_at.end());
    events.resize(limit);
    schedule_turn();
  }
  const Now moment = now();
  Effects effects;
  if (watch_ != nullptr) watch_->begins(index_, events);
  for (std::size_t i = 0; i < events.size(); ++i)
    note_health(events[i], fed_at[i]);
  for (const Event& event : events)
    note_answer(event);
  for (Event& event : events) {
    if (wiring_.trace.recording()) record(channel_of(event), "<- " + describe(event));
    wiring_.trace.mix(index_, event.index());
    if (auto* publish = std::get_if<Publish>(&event)) {
      publish->known = store_.find_op(publish->channel, publish->client, publish->op);
      publishing_[{publish->conn, publish->id}] = {publish->client, publish->op};
    } else if (const auto* subscribe = std::get_if<Subscribe>(&event)) {
      const bool whole = subscribe->start.kind == StartAt::Kind::full || subscribe->start.kind == StartAt::Kind::cursor;
      begun_[{subscribe->conn, subscribe->channel}] = Begun{wiring_.agenda.now(), whole};
    } else if (const auto* ask = std::get_if<HistoryAsk>(&event)) {
      begun_[{ask->conn, ask->channel}] = Begun{wiring_.agenda.now(), ask->start.kind != StartAt::Kind::since};
    }
  }
  if (!step_all(std::move(events), moment, effects)) return;
  if (watch_ != nullptr) watch_->ended(index_, effects);
  carry_out(effects);
  if (!up()) return;
  check_bounds();
  schedule_tick();
}

bool SimNode::step_all(std::vector<Event>&& events, const Now& moment, Effects& effects) {
  const Event* last = nullptr;
  try {
    for (Event& event : events) {
      last = &event;
      core_->step(std::move(event), moment, effects);
    }
    last = nullptr;
    core_->end_turn(moment, effects);
    return true;
  } catch (const BrokenInvariant& broken) {
    const Channel channel = last != nullptr ? channel_of(*last) : Channel{};
    wiring_.checker.violation(channel, id() + " breaks an invariant of the core: " + broken.what);
    return false;
  }
}

// ---- effects
// ----------------------------------------------------------------------------------------------------------

void SimNode::carry_out(Effects& effects) {
  for (Effect& effect : effects) {
    if (effects_until_crash_ != std::numeric_limits<std::uint64_t>::max() && effects_until_crash_-- == 0) crash(false);
    if (!up()) return;
    if (wiring_.trace.recording()) note(effect);
    mix(effect);
    check(effect);
    carry_out(effect);
  }
}

void SimNode::carry_out(Effect& effect) {
  if (edge_.deliver(effect)) return;
  if (auto* append = std::get_if<Append>(&effect)) {
    std::uint64_t& bytes = storing_[append->ticket];
    for (const Append::Item& item : append->items)
      bytes += cost_of(*item.stroke);
    storing_bytes_ += bytes;
    disk_->submit(std::move(*append));
  } else if (auto* repair = std::get_if<Repair>(&effect)) {
    disk_->submit(std::move(*repair));
  } else if (const auto* note = std::get_if<Note>(&effect)) {
    disk_->submit(*note);
  } else if (const auto* read = std::get_if<Read>(&effect)) {
    reading_.emplace(read->ticket, read->channel);
    disk_->submit(*read);
  } else if (const auto* since = std::get_if<FindSince>(&effect)) {
    disk_->submit(*since);
  } else if (const auto* find = std::get_if<FindOp>(&effect)) {
    disk_->submit(*find);
  } else if (const auto* gossip = std::get_if<SendGossip>(&effect)) {
    wiring_.network.gossip(index_, gossip->message);
  } else if (auto* frame = std::get_if<SendFrame>(&effect)) {
    const auto peer = std::find(wiring_.ids.begin(), wiring_.ids.end(), frame->peer);
    wiring_.network.send(index_, static_cast<NodeIndex>(peer - wiring_.ids.begin()), std::move(frame->frame));
  } else if (const auto* halt = std::get_if<Halt>(&effect)) {
    const bool full = wiring_.options.full_every_us != 0 || wiring_.options.refuse_every_us != 0;
    // An asynchronous node that has shown what it then cannot store has no other way.
    if (!full || wiring_.options.durability == Durability::sync) {
      wiring_.checker.violation({}, id() + " halts: " + halt->reason);
    }
    crash(false);
  }
}

void SimNode::note(const Effect& effect) {
  record(channel_of(effect), "-> " + describe(effect));
}

void SimNode::mix(const Effect& effect) {
  Trace& trace = wiring_.trace;
  trace.mix(wiring_.agenda.now(), index_, effect.index());
  if (const auto* deliver = std::get_if<DeliverStrokes>(&effect)) {
    trace.mix(deliver->strokes.size(), deliver->strokes.front()->seq, deliver->strokes.back()->ts, deliver->to->size());
  } else if (const auto* append = std::get_if<Append>(&effect)) {
    trace.mix(append->ticket, append->items.size(), append->items.back().chain);
  } else if (const auto* frame = std::get_if<SendFrame>(&effect)) {
    trace.mix(frame->frame.session, frame->frame.number, frame->frame.messages.size());
    for (const LinkMessage& message : frame->frame.messages)
      trace.mix(message.index());
  } else if (const auto* ack = std::get_if<SendAck>(&effect)) {
    trace.mix(ack->conn, ack->id, ack->seq, ack->ts, ack->copies);
  }
}

void SimNode::check(const Effect& effect) {
  Checker& checker = wiring_.checker;
  if (const auto* deliver = std::get_if<DeliverStrokes>(&effect)) {
    for (const StrokePtr& stroke : deliver->strokes)
      checker.told(stroke);
  } else if (const auto* frame = std::get_if<SendFrame>(&effect)) {
    for (const LinkMessage& message : frame->frame.messages) {
      if (const auto* run = std::get_if<StrokeRun>(&message)) {
        for (const StrokePtr& stroke : run->strokes)
          checker.told(stroke);
      }
    }
  } else if (const auto* ack = std::get_if<SendAck>(&effect)) {
    const auto op = publishing_.find({ack->conn, ack->id});
    if (op == publishing_.end()) {
      checker.violation(ack->channel, id() + " acknowledges what nobody published");
      return;
    }
    checker.acked(*ack, op->second.first, op->second.second, this->ack());
    publishing_.erase(op);
    wiring_.ack_watch.answered(index_, ack->conn, ack->id);
  } else if (const auto* error = std::get_if<SendError>(&effect)) {
    if (!error->id) return;
    publishing_.erase({error->conn, *error->id});
    wiring_.ack_watch.answered(index_, error->conn, *error->id);
  } else if (const auto* live = std::get_if<SendLive>(&effect)) {
    const auto begun = begun_.find({live->conn, live->channel});
    if (live->complete && begun != begun_.end() && begun->second.whole) {
      checker.complete(id(), live->channel, live->cursor, begun->second.at);
    }
  } else if (const auto* page = std::get_if<HistoryPage>(&effect)) {
    const auto begun = begun_.find({page->conn, page->channel});
    if (page->complete && !page->more && begun != begun_.end() && begun->second.whole) {
      checker.complete(id(), page->channel, page->cursor, begun->second.at);
    }
  }
}

}  // namespace inkmesh::sim
