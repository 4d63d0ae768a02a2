// SPDX-License-Identifier: Apache-2.0
// Ends what shape_struct.h or shape_table.h began.
#undef SHAPE
#undef FIELD_
#undef ID
#undef TEXT
#undef CHOICE
#undef INT
#undef BOOL
#undef MONEY
#undef MAP
#undef LIST
#undef NEST
#undef RAW
#undef BITS
#undef END
