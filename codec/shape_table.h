// SPDX-License-Identifier: Apache-2.0
// Reads a .def file as shape tables: one function for each shape. Include before the .def file; shape_done.h ends it.
#define SHAPE(of)                                                                                  \
    const struct shape *of##_shape(void)                                                           \
    {                                                                                              \
        typedef struct of self;                                                                    \
        static const char name_[] = #of;                                                           \
        static const struct field fields[] = {
#define FIELD_(field_name, field_type, need, ...) FIELD_AS_(field_name, #field_name, field_type, need, __VA_ARGS__)
#define FIELD_AS_(member, text, field_type, need_, ...)                                            \
    {.name = text, .name_size = sizeof(text) - 1, .type = field_type, .need = FIELD_##need_,       \
     .offset = offsetof(self, member), .offset_has = offsetof(self, has_##member), __VA_ARGS__},
#define ID(name, need, ...) FIELD_(name, FIELD_ID, need, .min = 1, .max = KEY_SIZE_MAX)
#define TEXT(name, need, low, high) FIELD_(name, FIELD_TEXT, need, .min = low, .max = high)
#define CHOICE(name, need, list) FIELD_(name, FIELD_CHOICE, need, .choices = list)
#define INT(name, need, low, high) FIELD_(name, FIELD_INT, need, .min = low, .max = high)
#define INT_AS(member, name, need, low, high) FIELD_AS_(member, #name, FIELD_INT, need, .min = low, .max = high)
#define BOOL(name, need) FIELD_(name, FIELD_BOOL, need, .max = 1)
#define MONEY(name, need) FIELD_(name, FIELD_MONEY, need, .max = INT64_MAX)
#define MAP(name, need) FIELD_(name, FIELD_MAP, need, .max = MAP_ENTRIES_MAX, .offset_count = offsetof(self, name##_count))
#define LIST(name, need, of, low, high) FIELD_(name, FIELD_LIST, need, .min = low, .max = high, .shape = of##_shape, .offset_count = offsetof(self, name##_count))
#define NEST(name, need, of) FIELD_(name, FIELD_NEST, need, .shape = of##_shape)
#define RAW(name, need, high) FIELD_(name, FIELD_RAW, need, .max = high)
#define BITS(name, need, high) FIELD_(name, FIELD_BITS, need, .max = high)
#define END(of)                                                                                    \
    {.name = NULL}                                                                                 \
    }                                                                                              \
    ;                                                                                              \
    static const struct shape shape = {name_, sizeof(self), fields, sizeof fields / sizeof *fields - 1}; \
    return &shape;                                                                                 \
    }
