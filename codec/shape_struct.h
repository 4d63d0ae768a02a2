// SPDX-License-Identifier: Apache-2.0
// Reads a .def file as struct declarations and shape functions. Include before the .def file; shape_done.h ends it.
// Every field NAME becomes members NAME and has_NAME (lists and maps also NAME_count);
// INT_AS names the member itself, where the field's name is a word of C.
#define SHAPE(of) struct of {
#define ID(name, need, ...) struct bytes name; bool has_##name;
#define TEXT(name, need, min, max) struct bytes name; bool has_##name;
#define CHOICE(name, need, choices) struct bytes name; bool has_##name;
#define INT(name, need, min, max) int64_t name; bool has_##name;
#define INT_AS(member, name, need, min, max) int64_t member; bool has_##member;
#define BOOL(name, need) bool name; bool has_##name;
#define MONEY(name, need) struct money name; bool has_##name;
#define MAP(name, need) struct pair *name; uint32_t name##_count; bool has_##name;
#define LIST(name, need, of, min, max) struct of *name; uint32_t name##_count; bool has_##name;
#define NEST(name, need, of) struct of name; bool has_##name;
#define RAW(name, need, max) struct bytes name; bool has_##name;
#define BITS(name, need, max) struct bytes name; bool has_##name;
#define END(of) }; const struct shape *of##_shape(void);
