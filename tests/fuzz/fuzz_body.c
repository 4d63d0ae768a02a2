// SPDX-License-Identifier: Apache-2.0
// Every body of message.def. The first byte chooses the shape. What the strict reader takes is written canonically,
// means itself from then on, has one fingerprint and one JSON form, and the lenient reader takes it, too.
#include "fuzz.h"

#include "codec/json.h"

static struct arena arena;

typedef bool reader(const struct shape *shape, struct bytes body, void *out, struct arena *arena,
                    struct refusal *refusal);

// Decodes into memory of exactly the shape's size and writes it again. NULL: refused. Free it.
static void *take(reader *read, const struct shape *shape, struct bytes body, struct buffer *again)
{
    struct refusal refusal = {0};
    void *self = malloc(shape->size + !shape->size);
    if (read(shape, body, self, &arena, &refusal)) {
        buffer_clear(again);
        body_encode(shape, self, again);
        return self;
    }
    CHECK(refusal.field && refusal.field[0] && refusal.message && refusal.message[0], "%s", shape->name);
    free(self);
    return NULL;
}

// Floats and extensions (in a field that may hold any msgpack) have no JSON form.
static void check_json(const struct shape *shape, struct bytes canonical)
{
    struct buffer text = {0}, packed = {0};
    const char *why = NULL;
    if (json_write(canonical, &text)) {
        CHECK(json_read(buffer_bytes(&text), &packed, &arena, &why), "%s: %s: %.*s", shape->name, why,
              BYTES_FORMAT(buffer_bytes(&text)));
        struct buffer again = {0}, text_again = {0};
        void *self = take(body_decode, shape, buffer_bytes(&packed), &again);
        CHECK(self && json_write(buffer_bytes(&again), &text_again), "%s: %.*s", shape->name,
              BYTES_FORMAT(buffer_bytes(&text)));
        CHECK(bytes_equal(buffer_bytes(&text), buffer_bytes(&text_again)), "%s: %.*s", shape->name,
              BYTES_FORMAT(buffer_bytes(&text)));
        free(self);
        buffer_deinit(&again);
        buffer_deinit(&text_again);
    }
    buffer_deinit(&text);
    buffer_deinit(&packed);
}

static void check_taken(const struct shape *shape, struct bytes body, const void *self, struct bytes canonical)
{
    struct buffer again = {0};
    void *second = take(body_decode, shape, canonical, &again);
    CHECK(second, "%s is refused as it was written", shape->name);
    CHECK(bytes_equal(canonical, buffer_bytes(&again)), "%s", shape->name);
    CHECK(!fingerprint_difference(shape, fingerprint_of(shape, self, &arena), fingerprint_of(shape, second, &arena)),
          "%s", shape->name);
    void *third = take(body_decode_lenient, shape, body, &again);
    CHECK(third && bytes_equal(canonical, buffer_bytes(&again)), "%s", shape->name);
    check_json(shape, canonical);
    free(second);
    free(third);
    buffer_deinit(&again);
}

void fuzz_one(struct bytes input)
{
    const struct shape *shape = sample_bodies[fuzz_choice(&input) % SAMPLE_BODIES]();
    struct buffer canonical = {0};
    void *self = take(body_decode, shape, input, &canonical);
    if (self)
        check_taken(shape, input, self, buffer_bytes(&canonical));
    free(self);
    self = take(body_decode_lenient, shape, input, &canonical);
    free(self);
    buffer_deinit(&canonical);
    arena_reset(&arena);
}

static void seed_attributes(const char *name)
{
    struct pair pair = {bytes_text(name), BYTES("00")};
    struct catalog_put put = {.title = BYTES("t"), .price = {1, "GBP"}, .attributes = &pair, .attributes_count = 1,
                              .has_attributes = true};
    struct buffer body = {0};
    body_encode(catalog_put_shape(), &put, &body);
    fuzz_seed_chosen(0, buffer_bytes(&body)); // the first shape of message.def
    buffer_deinit(&body);
}

void fuzz_seeds(void)
{
    struct buffer body = {0};
    seed_attributes("$bin"); // which JSON says otherwise
    for (uint8_t i = 0; i < SAMPLE_BODIES; i++) {
        for (int level = SAMPLE_LEAST; level <= SAMPLE_MOST; level++) {
            struct sample sample = {.seed = i, .arena = &arena, .level = level};
            const struct shape *shape = sample_bodies[i]();
            buffer_clear(&body);
            body_encode(shape, sample_of(&sample, shape, 1), &body);
            fuzz_seed_chosen(i, buffer_bytes(&body));
            arena_reset(&arena);
        }
    }
    buffer_deinit(&body);
}
