// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_ROUND_H
#define PNR_CORE_ROUND_H

// One round of publishing, step by step (the states of node/core/publication.h): read what stands,
// merge, make the sequence number durable, sign, store. Publications start rounds and are told how
// they ended.

#include "node/core/publication.h"

// Begins a round where one may begin now; otherwise sets the timer to try again.
void core_round_begin(struct node *node, struct core_publication *publication);

// Steps on: an event of one of its operations, or the end of a write.
void core_round_event(struct node *node, struct core_publication *publication, int engine,
                      const struct dht_out *event);
void core_round_written(struct node *node, struct core_publication *publication);

// Instead of a round: deletes the row, and tells the publication when that is durable.
void core_round_forget(struct node *node, struct core_publication *publication);

// Breaks the round off; the publication is IDLE then, without a timer.
void core_round_cancel(struct node *node, struct core_publication *publication);

// Whether our entry in the record as last signed would have been signed anew long ago, if the wall
// clock now is right: the clock that signed it was behind.
bool core_round_is_overdue(const struct node *node, const struct core_publication *publication);

// Told by the round to the publication (node/core/publication.c).
// What the user asked for is durable.
void core_publication_saved(struct core_publication *publication);
// It is stored on some nodes.
void core_publication_stored(struct node *node, struct core_publication *publication);
// It was not stored again: enough fresh copies are there, or nothing of ours is where it was
// withdrawn.
void core_publication_skipped(struct node *node, struct core_publication *publication);
// There is nobody to ask, and no use in the client's waiting any longer: what it wants is made
// durable, and done when there is.
void core_publication_offline(struct node *node, struct core_publication *publication);
// Its row is durably gone.
void core_publication_forgotten(struct node *node, struct core_publication *publication);
// It came to nothing. code and text are for who waits for it; final: trying again would not help.
void core_publication_failed(struct node *node, struct core_publication *publication,
                             enum control_error code, const char *text);

// What clients are told (node/core/publication_list.c): who waits, of a step and of the end, and
// fields of answers: `name`, and the seconds until the next renewal: at most so many while what was
// stored is still to be read back; -1, which is not told: there is nobody to ask in its cloud.
void core_publication_progress(struct node *node, struct core_publication *publication,
                               enum control_step step);
void core_publication_answer(struct node *node, const struct core_publication *publication,
                             struct core_request *request);
void core_publication_put_name(struct dht_bencode_writer *writer,
                               const struct core_publication *publication);
int64_t core_publication_renew_s(const struct node *node,
                                 const struct core_publication *publication);

// The durable form of a publication (node/core/publication_row.c): at most NODE_ROW_VALUE_MAX
// bytes.
size_t core_publication_row(const struct core_publication *publication,
                            uint8_t ret_row[NODE_ROW_VALUE_MAX]);
bool core_publication_read_row(struct dht_span row, struct core_publication *publication);
// Its key: the public key, then the classifier; of another cloud than Global_ then NUL, which no
// classifier has in it, and the cloud's name. Returns its length.
size_t core_publication_row_key(const struct core_publication *publication,
                                uint8_t ret_key[NODE_ROW_KEY_MAX]);
// Deletes the row. Returns the write's id, or 0 where memory is short.
uint64_t core_publication_delete_row(struct node *node, const struct core_publication *publication);
// The parts of such a key, the first of which is the public key. False where it is none.
bool core_publication_open_row_key(struct dht_span key, struct dht_span *ret_classifier,
                                   struct dht_span *ret_cloud);

#endif
