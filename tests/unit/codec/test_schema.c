// SPDX-License-Identifier: Apache-2.0
// The engine: what a body may be, how a refusal reads, how a record grows. By hand on known shapes; test_message.c goes
// over all of them.
#include "tests/unit/codec/sample.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct arena arena;
static struct buffer out;

static void setup(void)
{
    arena_init(&arena);
    buffer_init(&out);
}

static void teardown(void)
{
    arena_deinit(&arena);
    buffer_deinit(&out);
}

TestSuite(schema, .init = setup, .fini = teardown);

// Bodies are written as JSON-like calls: the codec's own packing, so that a body can be wrong in one place.
static void name(const char *text)
{
    pack_text(&out, text);
}

static void text_field(const char *field, const char *value)
{
    name(field);
    pack_text(&out, value);
}

static void int_field(const char *field, int64_t value)
{
    name(field);
    pack_int(&out, value);
}

static void money_value(int64_t amount, const char *currency)
{
    pack_map(&out, 2);
    int_field("amount", amount);
    text_field("currency", currency);
}

static void *decoded(const struct shape *shape)
{
    struct refusal refusal;
    void *self = arena_alloc(&arena, shape->size);
    cr_assert(body_decode(shape, buffer_bytes(&out), self, &arena, &refusal), "%s", refusal.message);
    return self;
}

static void refused(const struct shape *shape, const char *field, const char *message)
{
    struct refusal refusal = {0};
    void *self = arena_alloc(&arena, shape->size);
    cr_assert_not(body_decode(shape, buffer_bytes(&out), self, &arena, &refusal), "%s was taken", field);
    cr_assert_str_eq(refusal.field, field, "%s: %s", refusal.field, refusal.message);
    cr_assert(strstr(refusal.message, message), "%s", refusal.message);
    cr_assert(strstr(refusal.message, field) == refusal.message, "%s", refusal.message);
    buffer_clear(&out);
}

Test(schema, a_body_is_its_named_fields)
{
    pack_map(&out, 2);
    text_field("reservation_id", "r-1");
    int_field("quantity", 3);
    struct inventory_reserve *reserve = decoded(inventory_reserve_shape());
    cr_assert(bytes_equal(reserve->reservation_id, BYTES("r-1")));
    cr_assert_eq(reserve->quantity, 3);
    cr_assert(reserve->has_quantity && reserve->has_reservation_id && !reserve->has_ttl_ms);
}

Test(schema, the_order_of_fields_does_not_matter)
{
    pack_map(&out, 3);
    int_field("ttl_ms", 5);
    int_field("quantity", 3);
    text_field("reservation_id", "r-1");
    struct inventory_reserve *reserve = decoded(inventory_reserve_shape());
    cr_assert(bytes_equal(reserve->reservation_id, BYTES("r-1")));
    cr_assert(reserve->quantity == 3 && reserve->has_ttl_ms && reserve->ttl_ms == 5);
}

Test(schema, an_unknown_field_is_refused_by_name)
{
    pack_map(&out, 3);
    text_field("reservation_id", "r-1");
    int_field("quantity", 3);
    int_field("colour", 3);
    refused(inventory_reserve_shape(), "colour", "not known");
}

Test(schema, an_unknown_field_of_an_unshowable_name_is_refused)
{
    pack_map(&out, 1);
    int_field("a\nb", 3);
    refused(inventory_reserve_shape(), "body", "not known");
}

Test(schema, a_field_whose_name_only_begins_like_a_known_one_is_unknown)
{
    pack_map(&out, 1);
    int_field("quantit", 3);
    refused(inventory_reserve_shape(), "quantit", "not known");
    pack_map(&out, 1);
    int_field("quantity_", 3);
    refused(inventory_reserve_shape(), "quantity_", "not known");
}

Test(schema, a_field_given_twice_is_refused_by_name)
{
    pack_map(&out, 3);
    text_field("reservation_id", "r-1");
    int_field("quantity", 3);
    int_field("quantity", 3);
    refused(inventory_reserve_shape(), "quantity", "twice");
}

Test(schema, a_missing_field_is_refused_by_name)
{
    pack_map(&out, 1);
    int_field("quantity", 3);
    refused(inventory_reserve_shape(), "reservation_id", "missing");
    pack_map(&out, 0);
    refused(inventory_reserve_shape(), "reservation_id", "missing");
}

Test(schema, nil_is_not_a_way_to_leave_a_field_out)
{
    pack_map(&out, 3);
    text_field("reservation_id", "r-1");
    int_field("quantity", 3);
    name("ttl_ms");
    pack_nil(&out);
    refused(inventory_reserve_shape(), "ttl_ms", "must be an integer from 1 to 2592000000");
}

Test(schema, bytes_behind_the_body_are_refused)
{
    pack_map(&out, 0);
    pack_nil(&out);
    refused(empty_shape(), "body", "behind");
}

Test(schema, a_body_that_is_no_map_is_refused)
{
    pack_array(&out, 0);
    refused(empty_shape(), "body", "map");
    refused(empty_shape(), "body", "map"); // no bytes at all
    pack_map(&out, 1);
    pack_int(&out, 1);
    pack_int(&out, 1);
    refused(inventory_receive_shape(), "body", "not a string");
}

Test(schema, an_integer_is_within_its_bounds)
{
    static const struct {
        int64_t quantity;
        bool legal;
    } table[] = {{INT64_MIN, false},        {-1, false},       {0, false}, {1, true}, {QUANTITY_MAX, true},
                 {QUANTITY_MAX + 1, false}, {INT64_MAX, false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        buffer_clear(&out);
        pack_map(&out, 1);
        int_field("quantity", table[i].quantity);
        if (table[i].legal)
            decoded(inventory_receive_shape());
        else
            refused(inventory_receive_shape(), "quantity", "must be an integer from 1 to 1000000000");
    }
}

Test(schema, a_float_is_not_an_integer)
{
    pack_map(&out, 1);
    name("quantity");
    buffer_append(&out, "\xcb\x3f\xf0\0\0\0\0\0\0", 9); // 1.0
    refused(inventory_receive_shape(), "quantity", "integer");
}

Test(schema, a_string_of_digits_is_not_an_integer)
{
    pack_map(&out, 1);
    text_field("quantity", "3");
    refused(inventory_receive_shape(), "quantity", "integer");
}

static void remove_sku(struct bytes sku)
{
    buffer_clear(&out);
    pack_map(&out, 1);
    name("sku");
    pack_str(&out, sku);
}

Test(schema, an_id_is_a_key)
{
    char sku[130];
    memset(sku, 's', sizeof sku);
    remove_sku(bytes_of(sku, 128));
    decoded(cart_remove_shape());
    remove_sku(bytes_of(sku, 129));
    refused(cart_remove_shape(), "sku", "1 to 128 bytes");
    remove_sku(BYTES(""));
    refused(cart_remove_shape(), "sku", "1 to 128 bytes");
    remove_sku(BYTES("a\nb"));
    refused(cart_remove_shape(), "sku", "control characters");
    remove_sku(BYTES("a\0b"));
    refused(cart_remove_shape(), "sku", "control characters");
    remove_sku(BYTES("\xc3("));
    refused(cart_remove_shape(), "sku", "UTF-8");
    pack_map(&out, 1);
    name("sku");
    pack_bin(&out, BYTES("bin"));
    refused(cart_remove_shape(), "sku", "string");
}

Test(schema, a_text_may_have_lines_but_must_be_utf8)
{
    pack_map(&out, 1);
    text_field("reason", "two\nlines");
    decoded(order_cancel_shape());
    buffer_clear(&out);
    pack_map(&out, 1);
    text_field("reason", "\xff");
    refused(order_cancel_shape(), "reason", "0 to 256 bytes of UTF-8");
}

Test(schema, a_choice_is_one_of_its_words)
{
    static const char *const wrong[] = {"", "succeede", "succeededd", "succeeded|failed", "|", "Failed"};
    pack_map(&out, 1);
    text_field("outcome", "failed");
    struct payment_confirm *confirm = decoded(payment_confirm_shape());
    cr_assert(bytes_equal(confirm->outcome, BYTES("failed")));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        buffer_clear(&out);
        pack_map(&out, 1);
        text_field("outcome", wrong[i]);
        refused(payment_confirm_shape(), "outcome", "must be one of succeeded|failed");
    }
}

static void put_price(int64_t amount, const char *currency)
{
    buffer_clear(&out);
    pack_map(&out, 2);
    text_field("title", "t");
    name("price");
    money_value(amount, currency);
}

Test(schema, money_is_an_amount_and_a_known_currency)
{
    put_price(1299, "GBP");
    struct catalog_put *put = decoded(catalog_put_shape());
    cr_assert_eq(put->price.amount, 1299);
    cr_assert_str_eq(put->price.currency, "GBP");
    put_price(0, "JPY");
    decoded(catalog_put_shape());
    put_price(-1, "GBP");
    refused(catalog_put_shape(), "price", "0 or more");
    put_price(1, "XXX");
    refused(catalog_put_shape(), "price", "ISO 4217");
    put_price(1, "gbp");
    refused(catalog_put_shape(), "price", "ISO 4217");
    put_price(1, "GBPS");
    refused(catalog_put_shape(), "price", "ISO 4217");
    put_price(0, "");
    refused(catalog_put_shape(), "price", "ISO 4217");
}

Test(schema, money_has_exactly_its_two_fields)
{
    static const char *const names[][3] = {{"amount", NULL},     {"currency", NULL},
                                           {"amount", "amount"}, {"currency", "currency"},
                                           {"amount", "code"},   {"amount", "currency", "amount"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint32_t count = 0;
        while (count < 3 && names[i][count])
            count++;
        buffer_clear(&out);
        pack_map(&out, 1);
        name("price");
        pack_map(&out, count);
        for (uint32_t n = 0; n < count; n++) {
            if (strcmp(names[i][n], "amount") == 0)
                int_field("amount", 1);
            else
                text_field(names[i][n], "GBP");
        }
        refused(catalog_put_shape(), "price", "{amount, currency}");
    }
    for (int last = 0; last < 2; last++) { // an amount that is none
        buffer_clear(&out);
        pack_map(&out, 1);
        name("price");
        pack_map(&out, 2);
        if (last)
            text_field("currency", "GBP");
        text_field("amount", "currency");
        if (!last)
            text_field("currency", "GBP");
        refused(catalog_put_shape(), "price", "{amount, currency}");
    }
    pack_map(&out, 2);
    text_field("title", "t");
    name("price");
    pack_map(&out, 2);
    text_field("currency", "GBP");
    int_field("amount", 7);
    struct catalog_put *put = decoded(catalog_put_shape());
    cr_assert_eq(put->price.amount, 7);
}

static void put_attributes(uint32_t count)
{
    buffer_clear(&out);
    pack_map(&out, 3);
    text_field("title", "t");
    name("price");
    money_value(1, "GBP");
    name("attributes");
    pack_map(&out, count);
}

Test(schema, a_map_with_a_name_twice_is_refused)
{
    put_attributes(2);
    text_field("colour", "red");
    text_field("colour", "blue");
    refused(catalog_put_shape(), "attributes", "no name twice");
    put_attributes(2);
    text_field("colour", "red");
    text_field("size", "red");
    struct catalog_put *put = decoded(catalog_put_shape());
    cr_assert_eq(put->attributes_count, 2);
    cr_assert(bytes_equal(put->attributes[1].name, BYTES("size")));
}

Test(schema, a_map_has_at_most_64_strings_of_at_most_256_bytes)
{
    char text[300] = {0};
    memset(text, 'x', 257);
    put_attributes(64);
    for (int i = 0; i < 64; i++)
        text_field(arena_format(&arena, "n%d", i), "v");
    decoded(catalog_put_shape());
    put_attributes(65);
    for (int i = 0; i < 65; i++)
        text_field(arena_format(&arena, "n%d", i), "v");
    refused(catalog_put_shape(), "attributes", "at most 64");
    put_attributes(1);
    text_field("n", text);
    refused(catalog_put_shape(), "attributes", "256");
    put_attributes(1);
    text_field(text, "v");
    refused(catalog_put_shape(), "attributes", "256");
    put_attributes(1);
    int_field("n", 1);
    refused(catalog_put_shape(), "attributes", "strings");
}

static void place_line(const char *sku, int64_t quantity)
{
    pack_map(&out, 2);
    text_field("sku", sku);
    int_field("quantity", quantity);
}

static void place_head(uint32_t lines)
{
    pack_map(&out, 3);
    text_field("user_id", "u");
    text_field("payment_method", "cod");
    name("lines");
    pack_array(&out, lines);
}

Test(schema, a_field_inside_a_list_is_named_with_its_index)
{
    place_head(4);
    for (int i = 0; i < 3; i++)
        place_line("s", 1);
    place_line("a\nb", 1);
    refused(order_place_shape(), "lines[3].sku", "1 to 128 bytes");
    place_head(2);
    place_line("s", 1);
    place_line("s", 0);
    refused(order_place_shape(), "lines[1].quantity", "from 1 to 1000000000");
    place_head(1);
    pack_map(&out, 1);
    text_field("sku", "s");
    refused(order_place_shape(), "lines[0].quantity", "missing");
    place_head(1);
    pack_map(&out, 1);
    text_field("skew", "s");
    refused(order_place_shape(), "lines[0].skew", "not known");
    place_head(1);
    pack_int(&out, 5);
    refused(order_place_shape(), "lines[0]", "must be a map of named fields");
    place_head(1);
    pack_map(&out, 1);
    name("unit_price");
    money_value(1, "nil");
    refused(order_place_shape(), "lines[0].unit_price", "ISO 4217");
}

Test(schema, a_list_is_within_its_bounds)
{
    place_head(0);
    refused(order_place_shape(), "lines", "1 to 2000 entries");
    place_head(2001);
    for (int i = 0; i < 2001; i++)
        place_line("s", 1);
    refused(order_place_shape(), "lines", "1 to 2000 entries");
    place_head(2000);
    for (int i = 0; i < 2000; i++)
        place_line("s", 1);
    struct order_place *place = decoded(order_place_shape());
    cr_assert_eq(place->lines_count, 2000);
}

Test(schema, a_list_that_claims_more_than_the_input_holds_allocates_nothing)
{
    pack_map(&out, 1);
    name("lines");
    buffer_append(&out, "\xdd\xff\xff\xff\xff", 5);
    size_t total = arena.total;
    struct order_place place;
    struct refusal refusal;
    cr_assert_not(body_decode(order_place_shape(), buffer_bytes(&out), &place, &arena, &refusal));
    cr_assert_str_eq(refusal.field, "lines");
    cr_assert_lt(arena.total - total, 1024);
}

Test(schema, a_list_longer_than_allowed_allocates_nothing)
{
    place_head(50000);
    for (int i = 0; i < 50000; i++)
        pack_nil(&out);
    size_t total = arena.total;
    struct order_place place;
    struct refusal refusal;
    cr_assert_not(body_decode(order_place_shape(), buffer_bytes(&out), &place, &arena, &refusal));
    cr_assert_str_eq(refusal.field, "lines");
    cr_assert_lt(arena.total - total, 1024);
}

Test(schema, a_lenient_reader_steps_over_what_it_does_not_know)
{
    struct refusal refusal;
    struct version_reply reply;
    pack_map(&out, 3);
    int_field("new_one", 5);
    int_field("version", 7);
    name("newer");
    pack_array(&out, 1);
    pack_nil(&out);
    cr_assert(body_decode_lenient(version_reply_shape(), buffer_bytes(&out), &reply, &arena, &refusal));
    cr_assert_eq(reply.version, 7);
    refused(version_reply_shape(), "new_one", "not known");
    pack_map(&out, 1);
    int_field("new_one", 5);
    cr_assert_not(body_decode_lenient(version_reply_shape(), buffer_bytes(&out), &reply, &arena, &refusal));
    cr_assert_str_eq(refusal.field, "version");
}

Test(schema, a_lenient_reader_does_not_step_over_what_is_cut_off)
{
    struct refusal refusal;
    struct version_reply reply;
    pack_map(&out, 2);
    int_field("version", 7);
    name("newer");
    pack_array(&out, 3);
    cr_assert_not(body_decode_lenient(version_reply_shape(), buffer_bytes(&out), &reply, &arena, &refusal));
    cr_assert_str_eq(refusal.field, "newer");
}

Test(schema, a_raw_value_has_a_longest_size)
{
    static uint8_t data[65536];
    pack_map(&out, 5);
    text_field("position", "p");
    text_field("type", "stock_changed");
    text_field("key", "mug");
    int_field("at", 1);
    name("data");
    pack_bin(&out, bytes_of(data, sizeof data)); // and its head
    refused(event_view_shape(), "data", "at most 65536 bytes");
}

// ---- encoding

Test(schema, only_present_fields_are_written_and_required_ones_always)
{
    struct inventory_reserve reserve = {.reservation_id = BYTES("r"), .quantity = 3, .ttl_ms = 99};
    body_encode(inventory_reserve_shape(), &reserve, &out);
    struct inventory_reserve *read = decoded(inventory_reserve_shape());
    cr_assert(read->has_quantity && read->quantity == 3 && !read->has_ttl_ms);
}

Test(schema, encoding_what_is_out_of_bounds_is_our_mistake, .signal = SIGABRT)
{
    struct inventory_reserve reserve = {.reservation_id = BYTES("r"), .quantity = 0};
    body_encode(inventory_reserve_shape(), &reserve, &out);
}

Test(schema, encoding_an_empty_id_is_our_mistake, .signal = SIGABRT)
{
    struct inventory_reserve reserve = {.quantity = 1};
    body_encode(inventory_reserve_shape(), &reserve, &out);
}

Test(schema, storing_what_is_out_of_bounds_is_our_mistake, .signal = SIGABRT)
{
    struct stock stock = {.on_hand = -1, .version = 1};
    record_encode(stock_shape(), &stock, 0, &out);
}

// ---- records

static const struct stock stock_sample = {
    .on_hand = 12, .reserved = 3, .received = 20, .adjusted = -5, .committed = 3, .version = 9, .stop_sale = true};

Test(schema, a_record_comes_back_as_it_was)
{
    struct stock read;
    record_encode(stock_shape(), &stock_sample, 1234, &out);
    cr_assert(record_decode(stock_shape(), buffer_bytes(&out), &read, &arena));
    cr_assert(read.on_hand == 12 && read.reserved == 3 && read.adjusted == -5 && read.version == 9 && read.stop_sale);
    cr_assert_eq(record_forget_at(buffer_bytes(&out)), 1234);
}

Test(schema, a_record_of_an_unknown_version_is_refused)
{
    struct stock read;
    record_encode(stock_shape(), &stock_sample, 0, &out);
    out.at[0] = RECORD_VERSION + 1;
    cr_assert_not(record_decode(stock_shape(), buffer_bytes(&out), &read, &arena));
    cr_assert_eq(record_forget_at(buffer_bytes(&out)), -1);
    cr_assert_eq(record_forget_at((struct bytes){0}), -1);
    cr_assert_not(record_decode(stock_shape(), (struct bytes){0}, &read, &arena));
}

static void record_head(uint32_t count)
{
    buffer_clear(&out);
    buffer_append(&out, "\x01", 1);
    pack_array(&out, count + 1);
    pack_int(&out, 0);
}

Test(schema, a_record_that_ends_early_has_its_optional_fields_absent)
{
    struct hold hold;
    record_head(6);
    pack_text(&out, "held");
    pack_int(&out, 1);
    pack_nil(&out); // ttl_ms
    pack_int(&out, 5);
    pack_nil(&out); // first_expires_at
    pack_int(&out, 7);
    cr_assert(record_decode(hold_shape(), buffer_bytes(&out), &hold, &arena));
    cr_assert(!hold.has_ttl_ms && !hold.has_first_expires_at && hold.has_first_available && hold.expires_at == 5);
    record_head(5);
    pack_text(&out, "held");
    pack_int(&out, 1);
    pack_nil(&out);
    pack_int(&out, 5);
    pack_int(&out, 6);
    cr_assert_not(record_decode(hold_shape(), buffer_bytes(&out), &hold, &arena)); // first_available is required
}

Test(schema, a_record_with_more_fields_than_we_know_is_refused)
{
    struct due_hold due;
    record_head(3);
    pack_int(&out, 5);
    pack_text(&out, "c1");
    pack_nil(&out);
    cr_assert_not(record_decode(due_hold_shape(), buffer_bytes(&out), &due, &arena));
}

Test(schema, absent_fields_at_the_end_take_no_bytes)
{
    struct order_cancel none = {0};
    record_encode(order_cancel_shape(), &none, 0, &out);
    cr_assert_eq(out.size, 3); // version, array, forget_at
    cr_assert(record_decode(order_cancel_shape(), buffer_bytes(&out), &none, &arena));
    cr_assert_not(none.has_reason);
}

Test(schema, money_that_is_none_yet_can_be_stored)
{
    struct payment payment = {
        .state = BYTES("authorizing"), .want = BYTES("captured"), .amount = {5, "GBP"}, .method = BYTES("cod")};
    struct payment read;
    record_encode(payment_shape(), &payment, 0, &out);
    cr_assert(record_decode(payment_shape(), buffer_bytes(&out), &read, &arena));
    cr_assert(!read.captured.amount && !read.captured.currency[0] && !read.has_open);
    cr_assert_str_eq(read.amount.currency, "GBP");
}

// ---- fingerprints

static struct bytes print_of_body(const struct shape *shape)
{
    void *self = decoded(shape);
    buffer_clear(&out);
    return fingerprint_of(shape, self, &arena);
}

Test(schema, a_fingerprint_does_not_depend_on_the_order_of_fields_or_entries)
{
    put_attributes(2);
    text_field("a", "1");
    text_field("b", "2");
    struct bytes first = print_of_body(catalog_put_shape());
    pack_map(&out, 3);
    name("attributes");
    pack_map(&out, 2);
    text_field("b", "2");
    text_field("a", "1");
    name("price");
    money_value(1, "GBP");
    text_field("title", "t");
    struct bytes second = print_of_body(catalog_put_shape());
    cr_assert(bytes_equal(first, second));
    cr_assert_null(fingerprint_difference(catalog_put_shape(), first, second));
    put_attributes(2);
    text_field("a", "2");
    text_field("b", "1");
    struct bytes third = print_of_body(catalog_put_shape());
    cr_assert_str_eq(fingerprint_difference(catalog_put_shape(), first, third), "attributes");
}

Test(schema, a_fingerprint_names_the_first_field_that_differs)
{
    struct inventory_reserve a = {.reservation_id = BYTES("r"), .quantity = 3}, b = a, c = a;
    b.quantity = 4;
    c.ttl_ms = 3;
    c.has_ttl_ms = true;
    const struct shape *shape = inventory_reserve_shape();
    struct bytes was = fingerprint_of(shape, &a, &arena);
    cr_assert_str_eq(fingerprint_difference(shape, was, fingerprint_of(shape, &b, &arena)), "quantity");
    cr_assert_str_eq(fingerprint_difference(shape, was, fingerprint_of(shape, &c, &arena)), "ttl_ms");
    cr_assert_str_eq(fingerprint_difference(shape, fingerprint_of(shape, &c, &arena), was), "ttl_ms");
    cr_assert_null(fingerprint_difference(shape, was, fingerprint_of(shape, &a, &arena)));
}

Test(schema, an_absent_field_is_not_the_same_as_zero)
{
    struct cart_add absent = {.sku = BYTES("s"), .quantity = 1}, zero = absent;
    zero.has_expected_version = true;
    struct bytes was = fingerprint_of(cart_add_shape(), &absent, &arena),
                 is = fingerprint_of(cart_add_shape(), &zero, &arena);
    cr_assert_str_eq(fingerprint_difference(cart_add_shape(), was, is), "expected_version");
}

Test(schema, how_long_to_wait_is_not_content)
{
    struct order_place a = {
        .user_id = BYTES("u"), .payment_method = BYTES("cod"), .cart_id = BYTES("c"), .has_cart_id = true};
    struct order_place b = a;
    b.wait_ms = 500;
    b.has_wait_ms = true;
    cr_assert(
        bytes_equal(fingerprint_of(order_place_shape(), &a, &arena), fingerprint_of(order_place_shape(), &b, &arena)));
}

// Stored with holds and orders: if this fails, repeats of what was answered before an upgrade would be refused.
Test(schema, fingerprints_are_for_ever)
{
    struct order_line line = {.sku = BYTES("s"), .quantity = 2, .unit_price = {1299, "GBP"}, .has_unit_price = true};
    struct pair pairs[] = {{BYTES("city"), BYTES("Leeds")}};
    struct order_place place = {.user_id = BYTES("u"),
                                .payment_method = BYTES("pm_card_visa"),
                                .lines = &line,
                                .lines_count = 1,
                                .has_lines = true,
                                .address = pairs,
                                .address_count = 1,
                                .has_address = true,
                                .expected_total = {2598, "GBP"},
                                .has_expected_total = true};
    static const uint32_t expected[] = {0xf1e76922, 0xe2902615, 0, 0x399f12f6, 0xaf3cf303, 0xd0a1d38e};
    struct bytes is = fingerprint_of(order_place_shape(), &place, &arena);
    cr_assert(bytes_equal(is, bytes_of(expected, sizeof expected)));
}
