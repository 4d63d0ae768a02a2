// SPDX-License-Identifier: Apache-2.0
// Borrowed bytes: whoever hands them out keeps them. Valid until the call returns, or as long as the arena or frame
// they point into. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *at;
    size_t size;
};

#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline struct bytes bytes_of(const void *at, size_t size)
{
    return (struct bytes){at, size};
}

static inline struct bytes bytes_text(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

// < 0, 0, > 0: bytewise, a prefix before what it begins.
static inline int bytes_compare(struct bytes a, struct bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common ? memcmp(a.at, b.at, common) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

// For printf("%.*s").
#define BYTES_FORMAT(b) (int)(b).size, (const char *)(b).at
