// SPDX-License-Identifier: Apache-2.0
// The broker's reading, without sockets: a frame becomes parcels on lanes and answers, each request exactly one of
// them. The first byte is how the frame came. What would go out is caught here, in place of front.c.
#include "fuzz.h"

#include "broker/intake.h"
#include "codec/cursor.h"

enum { CAME_DELIMITED = 1, CAME_TO_OPERATORS = 2, CAME_IN_PARTS = 4, CAME_TOO_LATE = 8, ACTORS = 2 };

static struct intake intake;
static struct lanes lanes;
static struct drops drops;
static uint32_t answers, controls;

static const struct bytes route = BYTES("\0abcd");

// ---- what the broker has around its intake

static uint16_t owner(void *context, enum kind_id kind, uint16_t slot)
{
    return slot % ACTORS;
}

static void status(void *context, struct bytes dropped, struct buffer *body)
{
    pack_map(body, 1);
    pack_text(body, "dropped");
    pack_raw(body, dropped);
}

static void control_request(void *context, struct bytes to, uint8_t flags, struct bytes request)
{
    CHECK((flags & PARCEL_OPERATOR) && bytes_equal(to, route) && request.size, "%u", flags);
    controls++;
}

static void check_reply(struct cursor *cursor)
{
    struct reply reply;
    enum status status;
    CHECK(reply_read(cursor, &reply), "a reply that cannot be read");
    CHECK(status_of_name(reply.status, &status), "%.*s", BYTES_FORMAT(reply.status));
    CHECK(!reply.id.size || key_valid(reply.id, REQUEST_ID_SIZE_MAX), "%zu", reply.id.size);
}

void front_send(struct front *front, uint8_t flags, struct bytes to, struct bytes head, struct bytes rest,
                uint32_t replies)
{
    struct buffer frame = {0};
    struct envelope_refusal refusal;
    bool bundled;
    CHECK(bytes_equal(to, route), "a reply to somebody else");
    buffer_append(&frame, head.at, head.size);
    buffer_append(&frame, rest.at, rest.size);
    struct cursor cursor = cursor_over(buffer_bytes(&frame));
    CHECK(frame_open(&cursor, &bundled, &refusal) == replies, "%u replies", replies);
    CHECK(!(bundled && (flags & PARCEL_DELIMITED)), "a bundle behind a delimiter");
    for (uint32_t i = 0; i < replies; i++)
        check_reply(&cursor);
    CHECK(!cursor_left(&cursor), "bytes behind the replies");
    answers += replies;
    buffer_deinit(&frame);
}

// ---- one frame

static void check_parcel(const struct parcel *parcel, enum kind_id kind, uint16_t index, uint8_t came)
{
    struct cursor cursor = cursor_over(parcel->request);
    struct request request;
    struct envelope_refusal refusal;
    CHECK(parcel->origin == PARCEL_CLIENT && bytes_equal(parcel->route, route), "%d", (int)parcel->origin);
    CHECK(request_read(&cursor, &request, &refusal) && !cursor_left(&cursor), "passed on though refused");
    const struct message_def *def = message_by_name(request.type);
    CHECK(def && def->audience == AUDIENCE_PUBLIC, "%.*s", BYTES_FORMAT(request.type));
    CHECK(!(came & (CAME_IN_PARTS | CAME_TOO_LATE)), "%u", came);
    if (def->kind < KIND_COUNT)
        CHECK(def->kind == kind && slot_of(request.key) % ACTORS == index, "%.*s", BYTES_FORMAT(request.key));
}

static uint32_t parcels_passed(uint8_t came)
{
    uint32_t passed = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        for (uint16_t index = 0; index < ACTORS; index++) {
            struct lane *lane = lanes_find(&lanes, (enum kind_id)kind, index);
            struct cursor frame = cursor_over(buffer_bytes(&lane->frame));
            for (struct parcel parcel; parcel_next(&frame, &parcel); passed++)
                check_parcel(&parcel, (enum kind_id)kind, index, came);
        }
    }
    return passed;
}

// How many requests a frame holds that is whole; 0: it is not.
static uint32_t requests_in(struct bytes frame)
{
    struct cursor cursor = cursor_over(frame);
    struct envelope_refusal refusal;
    bool bundled;
    uint32_t count = frame_open(&cursor, &bundled, &refusal), left = count;
    while (left && cursor_skip(&cursor, NULL))
        left--;
    return left || cursor_left(&cursor) ? 0 : count;
}

static void begin(uint8_t came)
{
    static const struct broker_options options = {.owner = owner, .status = status, .control_request = control_request};
    static struct lane all[KIND_COUNT * ACTORS];
    drops = (struct drops){0};
    lanes = (struct lanes){.at = all, .count = KIND_COUNT * ACTORS};
    for (uint16_t i = 0; i < lanes.count; i++) {
        buffer_clear(&all[i].frame);
        credit_init(&all[i].credit, 4, 2048);
    }
    for (uint16_t kind = 0; kind < KIND_COUNT; kind++) {
        lanes.first[kind] = kind * ACTORS;
        lanes.actors[kind] = ACTORS;
    }
    intake_init(&intake, &options, &lanes, &drops);
    intake.refusing = came & CAME_TOO_LATE;
    answers = controls = 0;
}

void fuzz_one(struct bytes input)
{
    static struct front front;
    static struct outgoing outgoing;
    uint8_t came = fuzz_choice(&input);
    struct arrival arrival = {.route = route, .frame = input, .many = came & CAME_IN_PARTS};
    arrival.flags = (came & CAME_DELIMITED ? PARCEL_DELIMITED : 0) | (came & CAME_TO_OPERATORS ? PARCEL_OPERATOR : 0);
    begin(came);
    outgoing_init(&outgoing, &front);
    intake_take(&intake, &arrival, &outgoing);
    outgoing_flush(&outgoing);
    uint32_t passed = parcels_passed(came), requests = requests_in(input);
    uint32_t outcomes = passed + answers + controls + (uint32_t)drops.count[DROP_malformed_limited];
    CHECK(outcomes >= 1 && outcomes <= BUNDLE_MAX, "%u", outcomes);
    if (!requests)
        CHECK(!passed && !controls, "%u requests of a broken frame were passed on", passed);
    else
        CHECK(outcomes == requests || (outcomes == 1 && !passed), "%u requests, %u outcomes", requests, outcomes);
    outgoing_deinit(&outgoing);
    intake_deinit(&intake);
}

void fuzz_seeds(void)
{
    struct buffer frame = {0};
    const struct message_def *def;
    for (uint32_t i = 0; (def = message_at(i)); i++) {
        buffer_clear(&frame);
        request_write(&frame, BYTES("request-1"), def->name, def->kind < KIND_COUNT ? BYTES("key") : BYTES("cart/0"),
                      BYTES("\x80"), i % 2);
        fuzz_seed_chosen(i % 3, buffer_bytes(&frame));
    }
    for (uint32_t count = 1; count <= 20; count += 6) {
        buffer_clear(&frame);
        bundle_head_write(&frame, count);
        for (uint32_t i = 0; i < count; i++)
            request_write(&frame, BYTES("request-1"), "inventory.get", bytes_of(&"abcdefghijklmnopqrst"[i], 1), BYTES("\x80"), 0);
        fuzz_seed_chosen(0, buffer_bytes(&frame));
    }
    fuzz_seed_chosen(CAME_IN_PARTS, BYTES("\x95\x01\xa1i"));
    fuzz_seed_chosen(CAME_TOO_LATE, buffer_bytes(&frame));
    buffer_deinit(&frame);
}
