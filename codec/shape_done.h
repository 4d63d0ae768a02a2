// SPDX-License-Identifier: Apache-2.0
// Ends what shape_struct.h or shape_table.h began.
#undef SHAPE
#undef FIELD_
#undef FIELD_AS_
#undef ID
#undef TEXT
#undef CHOICE
#undef INT
#undef INT_AS
#undef BOOL
#undef MONEY
#undef MAP
#undef LIST
#undef NEST
#undef RAW
#undef BITS
#undef END
