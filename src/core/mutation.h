// Mistakes made on purpose, for the simulator's proof that it would notice them. In the program every one of them is
// constantly off, and the compiler leaves nothing of it.
#pragma once

namespace inkmesh::core {

/// X(name, what it does) for each.
#define INKMESH_EACH_MUTATION(X)                                                                      \
  X(ack_at_own_commit, "acknowledges what one disk has")                                              \
  X(ack_before_commit, "counts its own copy before it is stored")                                     \
  X(ack_retry_at_once, "answers a retry without looking for its copies")                              \
  X(count_dead_copies, "counts copies of peers that died or lost their disk")                         \
  X(confirm_before_commit, "tells peers that it has stored what is only on its way")                  \
  X(keep_number_after_failure, "numbers on past an append that was refused")                          \
  X(keep_shown_after_failure, "leaves subscribers with what the store refused")                       \
  X(reuse_epoch, "numbers on in the epoch of its former life")                                        \
  X(show_past_gap, "shows a run that does not follow what is here")                                   \
  X(show_twice, "shows a run's strokes again when it comes again")                                    \
  X(forget_interest_delta, "counts a delta's version and digest, and forgets its channels")           \
  X(settled_at_once, "calls a home settled that has not compared itself")                             \
  X(forget_lost_disk, "takes a lost store's remains for the whole")                                   \
  X(keep_mark_of_old_list, "takes what was whole with another node list for whole")                   \
  X(settle_hollow_alone, "hands a lost disk's node what is its own, and leaves single copies single") \
  X(whole_without_answers, "calls a history whole though too few have answered")                      \
  X(skip_read, "takes a subscriber live without what only the store has")                             \
  X(skip_first_of_page, "loses the first stroke of a page that was read")                             \
  X(demote_too_far, "begins a slow reader's cursor past what it was not sent")                        \
  X(live_while_ahead, "takes a subscriber live whose cursor is ahead")                                \
  X(forget_cursor, "begins a delta from the start of the log")                                        \
  X(forget_unconfirmed, "offers nothing again that a broken link may have lost")                      \
  X(push_past_window, "pushes to a connection whatever it has unsent")                                \
  X(keep_tail, "lets go of nothing that is on disk")                                                  \
  X(keep_window, "counts what a peer will never confirm as under way to it for ever")                 \
  X(forget_presence_delta, "counts a presence delta's version, and forgets who came and went")        \
  X(forget_returned_homes, "never hands back what it holds for a home that was away")

#define INKMESH_MUTATION_NAME(name, text) name,
enum class Mutation { none, INKMESH_EACH_MUTATION(INKMESH_MUTATION_NAME) };
#undef INKMESH_MUTATION_NAME

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
