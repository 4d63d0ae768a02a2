// SPDX-License-Identifier: Apache-2.0
// The seam to toml++ (topology.cc): a TOML text as a walk over KEY = VALUE in sections. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum toml_type { TOML_STRING, TOML_INTEGER, TOML_BOOLEAN, TOML_FLOAT, TOML_TIME, TOML_ARRAY, TOML_TABLE };

struct toml_position {
    uint32_t line, column; // from 1
};

// Borrowed from the walk.
struct toml_value {
    enum toml_type type;
    const char *text; // STRING; may hold a NUL before its end
    size_t size;
    int64_t integer; // INTEGER
    bool boolean;    // BOOLEAN
    struct toml_position position;
    const void *node; // for toml_item
    size_t count;     // ARRAY
};

struct toml_visitor {
    void *context;
    // A section or, at the top, a key outside any (`is_table` false).
    void (*section)(void *context, const char *name, bool is_table, struct toml_position position);
    // A key of the section visited last. A table below a section is a value of type TABLE.
    void (*value)(void *context, const char *name, struct toml_position position, const struct toml_value *value);
    // The text is not TOML; nothing else is visited.
    void (*broken)(void *context, const char *why, struct toml_position position);
};

void toml_walk(const char *text, size_t size, const struct toml_visitor *visitor);
// The element of an array; index < array->count.
struct toml_value toml_item(const struct toml_value *array, size_t index);

#ifdef __cplusplus
}
#endif
