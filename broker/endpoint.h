// SPDX-License-Identifier: Apache-2.0
// Where a socket listens, as text: tcp://HOST:PORT (IPv4 address, interface or *; port 0 or * picks one) or ipc://PATH.
// Any thread.
#pragma once

#include "broker/topology.h"
#include "codec/bytes.h"

// Makes a relative ipc path absolute, below `directory`. NULL: `resolved` is set; otherwise what is wrong, in a
// sentence without the endpoint.
const char *endpoint_resolve(struct bytes endpoint, const char *directory, char resolved[ENDPOINT_SIZE_MAX]);
// The port (or name) is picked when it is bound, so the same text may be bound twice.
bool endpoint_is_wildcard(const char *endpoint);
