// SPDX-License-Identifier: Apache-2.0
// What has arrived at an actor and waits to be decided: frames from the broker and frames from other actors, each in
// the order of arrival. One PULL socket at inproc://KIND/N. Owned by the actor's thread, which also makes the socket.
// Bounded by the broker's credit and by admission; HWM is a backstop only.
#pragma once

#include "codec/parcel.h"

struct inbox;

enum inbox_lane { INBOX_PEERS, INBOX_CLIENTS, INBOX_LANES };

// Binds; CHECKs that the name is free (inproc names are ours alone).
struct inbox *inbox_open(void *zmq, const char *endpoint);
void inbox_close(struct inbox **inbox);

// Waits up to timeout_ms (-1: for ever) for the first frame if nothing is there, then takes all there are.
void inbox_collect(struct inbox *inbox, int timeout_ms);
// A control parcel's word ("stop", …), which comes before everything else; false: none.
bool inbox_control(struct inbox *inbox, struct parcel *parcel);
// The next parcel of a lane; it lives until inbox_release.
bool inbox_take(struct inbox *inbox, enum inbox_lane lane, struct parcel *parcel);
// Forgets what was taken.
void inbox_release(struct inbox *inbox);
// Parcels that wait.
uint64_t inbox_size(const struct inbox *inbox);
