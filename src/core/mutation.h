// Mistakes made on purpose, for the simulator's proof that it would notice them. In the program every one of them is
// constantly off, and the compiler leaves nothing of it.
#pragma once

namespace inkmesh::core {

enum class Mutation {
  none,
  ack_at_own_commit,          ///< acknowledges what one disk has
  ack_before_commit,          ///< counts its own copy before it is stored
  ack_retry_at_once,          ///< answers a retry without looking for its copies
  count_dead_copies,          ///< counts copies of peers that died or lost their disk
  confirm_before_commit,      ///< tells peers that it has stored what is only on its way
  keep_number_after_failure,  ///< numbers on past an append that was refused
  keep_shown_after_failure,   ///< leaves subscribers with what the store refused
  reuse_epoch,                ///< numbers on in the epoch of its former life
  show_past_gap,              ///< shows a run that does not follow what is here
  show_twice,                 ///< shows a run's strokes again when it comes again
  forget_interest_delta,      ///< counts a delta's version and digest, and forgets its channels
  settled_at_once,            ///< calls a home settled that has not compared itself
  forget_lost_disk,           ///< takes a lost store's remains for the whole
  keep_mark_of_old_list,      ///< takes what was whole with another node list for whole
  settle_hollow_alone,        ///< hands a lost disk's node what is its own, and leaves single copies single
  whole_without_answers,      ///< calls a history whole though too few have answered
  skip_read,                  ///< takes a subscriber live without what only the store has
  skip_first_of_page,         ///< loses the first stroke of a page that was read
  demote_too_far,             ///< a slow reader's cursor begins past what it was not sent
  live_while_ahead,           ///< takes a subscriber live whose cursor is ahead
  forget_cursor,              ///< begins a delta from the start of the log
  forget_unconfirmed,         ///< offers nothing again that a broken link may have lost
  push_past_window,           ///< pushes to a connection whatever it has unsent
  keep_tail,                  ///< lets go of nothing that is on disk
  keep_window,                ///< counts what a peer will never confirm as under way to it for ever
  forget_presence_delta,      ///< counts a presence delta's version, and forgets who came and went
  forget_returned_homes,      ///< never hands back what it holds for a home that was away
};

#ifdef INKMESH_MUTATIONS
/// Set before a core is made. One at a time.
inline Mutation active_mutation = Mutation::none;
inline bool mutated(Mutation mutation) {
  return active_mutation == mutation;
}
#else
constexpr bool mutated(Mutation /*mutation*/) {
  return false;
}
#endif

}  // namespace inkmesh::core
