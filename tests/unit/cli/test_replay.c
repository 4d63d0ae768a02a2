// SPDX-License-Identifier: Apache-2.0
#include "logbook.h"

#include "cli/replay.h"

#include <stdlib.h>

static struct logbook book;
static struct replay replay;
static struct trouble trouble;
static struct state_difference difference;

static void scratch_open(void)
{
    struct store_options options = {0};
    trouble = (struct trouble){0};
    replay = (struct replay){.trouble = &trouble, .history = history_open(&book.stage.databases, NULL, &trouble)};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        CHECK(store_memory_open(&options, &replay.stores[kind], NULL) == FAULT_NONE);
}

static void scratch_close(void)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        store_close(&replay.stores[kind]);
    history_close(&replay.history);
    replay_deinit(&replay);
    buffer_deinit(&difference.json);
    buffer_deinit(&difference.text);
    logbook_deinit(&book);
}

static bool contains(const struct buffer *buffer, const char *text)
{
    return memmem(buffer->at, buffer->size, text, strlen(text)) != NULL;
}

// A key of that half of the slots.
static const char *key_in(int half)
{
    static char key[16];
    for (int i = 0;; i++) {
        snprintf(key, sizeof key, "sku-%d", i);
        if (slot_of(bytes_text(key)) / (SLOT_COUNT / 2) == half)
            return key;
    }
}

Test(replay, a_log_decided_by_the_same_build_is_equal)
{
    logbook_init(&book);
    logbook_write(&book, "A");
    logbook_write(&book, "B");
    scratch_open();
    cr_assert(replay_run(&replay), "%s %.*s", trouble.text.line, BYTES_FORMAT(buffer_bytes(&replay.difference.text)));
    cr_assert(eq(u64, replay.epochs, 1));
    cr_assert(eq(u64, replay.turns, 10));
    cr_assert(replay.messages > 14); // and what expired
    scratch_close();
}

Test(replay, an_empty_log_is_equal)
{
    logbook_init(&book);
    scratch_open();
    cr_assert(replay_run(&replay));
    cr_assert(eq(u64, replay.turns, 0));
    scratch_close();
}

// One actor, then two, then one again: half of the keys move, and their state with them.
static void reshape(uint16_t actors)
{
    struct databases *databases = &book.stage.databases;
    uint16_t ever = databases->ever.count[KIND_INVENTORY];
    struct buffer from = {0}, to = {0};
    logbook_close_shards(&book);
    stage_open(&book.stage, KIND_INVENTORY, actors);
    databases->ever.count[KIND_INVENTORY] = actors > ever ? actors : ever;
    keys_slot(&from, SLOT_COUNT / 2);
    keys_slot(&to, SLOT_COUNT);
    struct store *first = databases->of[KIND_INVENTORY][0], *second = databases->of[KIND_INVENTORY][1];
    struct store *source = actors == 1 ? second : first, *target = actors == 1 ? first : second;
    for (int family = FAMILY_HEAD; family <= FAMILY_REMEMBERED; family++) {
        CHECK(store_clear(target, family, buffer_bytes(&from), buffer_bytes(&to), NULL) == FAULT_NONE);
        CHECK(store_copy(target, source, family, buffer_bytes(&from), buffer_bytes(&to), NULL) == FAULT_NONE);
    }
    buffer_deinit(&from);
    buffer_deinit(&to);
    logbook_start(&book);
}

Test(replay, reshapes_are_followed_epoch_by_epoch)
{
    uint64_t rows = 0;
    logbook_init(&book);
    logbook_write(&book, key_in(0));
    logbook_write(&book, key_in(1));
    reshape(2);
    logbook_write(&book, key_in(1));
    logbook_write(&book, key_in(0));
    reshape(1);
    logbook_write(&book, key_in(1));
    scratch_open();
    cr_assert(replay_run(&replay), "%s %.*s", trouble.text.line, BYTES_FORMAT(buffer_bytes(&replay.difference.text)));
    cr_assert(eq(u64, replay.epochs, 3));
    cr_assert(replay_compare(&replay, &book.stage.databases, &rows, &difference), "%.*s",
              BYTES_FORMAT(buffer_bytes(&difference.text)));
    cr_assert(rows > 10);
    scratch_close();
}

// ---- planted differences

static void another_digest(struct log_turn *turn)
{
    turn->messages[1].digest ^= 1;
}

Test(replay, the_first_turn_that_differs_is_shown_by_message)
{
    logbook_init(&book);
    logbook_write(&book, "A");
    logbook_forge(&book, 0, 4, another_digest);
    scratch_open();
    cr_assert(not(replay_run(&replay)));
    cr_assert(eq(int, trouble.fault, FAULT_NONE), "%s", trouble.text.line);
    const struct difference *first = &replay.difference;
    cr_assert(first->found && first->seq == 4 && first->actor.kind == KIND_INVENTORY && first->epoch == 1);
    cr_assert(contains(&first->json, "\"messages_differ\":1"));
    cr_assert(contains(&first->json, "\"index\":1"));
    cr_assert(contains(&first->json, "\"type\":\"inventory.reserve\""));
    cr_assert(contains(&first->json, "\"put\":\"child\""));
    cr_assert(contains(&first->json, "\"quantity\":1"));
    cr_assert(contains(&first->text, "message 2 of 2: inventory.reserve A from client"));
    scratch_close();
}

// The log holds another request than the one that was decided: the same as another decision.
static void another_quantity(struct log_turn *turn)
{
    static uint8_t request[256];
    struct bytes is = turn->messages[0].request;
    memcpy(request, is.at, is.size);
    request[is.size - 1]++; // the quantity, the last byte of its body
    turn->messages[0].request = bytes_of(request, is.size);
}

Test(replay, another_decision_is_shown_with_what_was_logged)
{
    logbook_init(&book);
    logbook_receive(&book, "A", 100);
    logbook_forge(&book, 0, 2, another_quantity);
    scratch_open();
    cr_assert(not(replay_run(&replay)));
    cr_assert(contains(&replay.difference.json, "\"event\":\"stock_changed\",\"data\":{\"on_hand\":100"));
    cr_assert(contains(&replay.difference.json, "\"on_hand\":101"));
    scratch_close();
}

static void refused_message(struct log_turn *turn)
{
    static uint8_t request[256];
    struct bytes is = turn->messages[0].request;
    memcpy(request, is.at, is.size);
    request[is.size - 1] = 0; // a quantity of 0 is not legal
    turn->messages[0].request = bytes_of(request, is.size);
}

Test(replay, a_message_that_no_handler_sees_any_more_is_a_difference)
{
    logbook_init(&book);
    logbook_receive(&book, "A", 100);
    logbook_forge(&book, 0, 2, refused_message);
    scratch_open();
    cr_assert(not(replay_run(&replay)));
    cr_assert(contains(&replay.difference.json, "\"now\":{\"changed\":false,\"status\":null}"));
    scratch_close();
}

// ---- damaged logs

static void log_change(uint64_t seq, struct bytes value)
{
    struct store *store = book.stage.databases.of[KIND_INVENTORY][0];
    struct buffer key = {0};
    keys_seq(&key, seq);
    if (value.size)
        store_put(store, FAMILY_LOG, buffer_bytes(&key), value);
    else
        store_delete(store, FAMILY_LOG, buffer_bytes(&key));
    CHECK(store_commit(store, NULL) == FAULT_NONE);
    buffer_deinit(&key);
}

static void expect_corruption(const char *words)
{
    scratch_open();
    cr_assert(not(replay_run(&replay)));
    cr_assert(eq(int, trouble.fault, FAULT_CORRUPTION));
    cr_assert(strstr(trouble.text.line, words) != NULL, "%s", trouble.text.line);
    cr_assert(not(replay.difference.found));
    scratch_close();
}

Test(replay, a_hole_is_a_failure_named_by_actor_and_seq)
{
    logbook_init(&book);
    logbook_write(&book, "A");
    log_change(3, BYTES(""));
    expect_corruption("inventory/0: seq 3 ");
}

Test(replay, a_row_that_does_not_decode_is_a_failure)
{
    logbook_init(&book);
    logbook_write(&book, "A");
    log_change(4, BYTES("rubbish"));
    expect_corruption("inventory/0: seq 4 ");
}

Test(replay, a_log_without_its_first_epoch_is_a_failure)
{
    logbook_init(&book);
    logbook_write(&book, "A");
    log_change(1, BYTES(""));
    expect_corruption("inventory/0: seq 1 ");
}

static void forged_digest(struct log_turn *turn)
{
    turn->digest++;
}

static void forged_chain(struct log_turn *turn)
{
    turn->chain++;
}

static void time_stands_still(struct log_turn *turn)
{
    turn->at = 1;
}

// Changes a row without mending what follows.
static void tamper(uint64_t seq, void (*change)(struct log_turn *turn))
{
    struct log_reader *reader = log_reader_open(book.stage.databases.of[KIND_INVENTORY][0], seq, seq);
    struct log_row row;
    struct buffer value = {0};
    enum fault fault;
    cr_assert(log_reader_next(reader, &row, &fault));
    change(&row.turn);
    log_turn_encode(&row.turn, &value);
    log_reader_close(&reader);
    log_change(seq, buffer_bytes(&value));
    buffer_deinit(&value);
}

Test(replay, what_does_not_fit_together_is_a_failure_not_a_difference)
{
    static const struct {
        void (*change)(struct log_turn *turn);
        const char *words;
    } cases[] = {{forged_digest, "digest"}, {forged_chain, "chain"}, {time_stands_still, "time"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        logbook_init(&book);
        logbook_write(&book, "A");
        tamper(3, cases[i].change);
        expect_corruption(cases[i].words);
    }
}

Test(replay, an_epoch_that_does_not_continue_the_chain_is_a_failure)
{
    struct buffer value = {0};
    logbook_init(&book);
    logbook_receive(&book, "A", 1);
    struct log_epoch epoch = {.at = book.now + 1,
                              .number = 2,
                              .build = BYTES("test"),
                              .owners = book.stage.databases.owners,
                              .settings = book.settings,
                              .previous_chain = 7,
                              .quarantine = BYTES("\x90")};
    log_epoch_encode(&epoch, &value);
    log_change(3, buffer_bytes(&value));
    buffer_deinit(&value);
    expect_corruption("does not continue the chain");
}

// ---- the state the log leads to

static bool state_equal(void)
{
    scratch_open();
    cr_assert(replay_run(&replay), "%s", trouble.text.line);
    return replay_compare(&replay, &book.stage.databases, NULL, &difference);
}

static void row_of(enum family family, const char *key, const char *child, struct bytes value)
{
    struct store *store = book.stage.databases.of[KIND_INVENTORY][0];
    struct buffer row = {0};
    keys_child(&row, bytes_text(key), bytes_text(child));
    if (value.size)
        store_put(store, family, buffer_bytes(&row), value);
    else
        store_delete(store, family, buffer_bytes(&row));
    CHECK(store_commit(store, NULL) == FAULT_NONE);
    buffer_deinit(&row);
}

Test(replay, a_database_that_lost_a_row_is_found)
{
    logbook_init(&book);
    logbook_write(&book, "A");
    row_of(FAMILY_HEAD, "A", "", BYTES(""));
    cr_assert(not(state_equal()));
    cr_assert(contains(&difference.json, "\"entity\":\"inventory/A\",\"stored\":null,\"replayed\":{\"on_hand\":106"));
    scratch_close();
}

Test(replay, a_database_with_another_row_is_found)
{
    logbook_init(&book);
    logbook_write(&book, "A");
    struct stock stock = {.on_hand = 1, .version = 1};
    stage_put(&book.stage, KIND_INVENTORY, FAMILY_HEAD, "stray", "", stock_shape(), &stock);
    cr_assert(not(state_equal()));
    cr_assert(contains(&difference.json, "\"entity\":\"inventory/stray\""));
    cr_assert(contains(&difference.json, "\"replayed\":null"));
    scratch_close();
}

Test(replay, what_may_be_forgotten_may_be_gone)
{
    logbook_init(&book);
    logbook_receive(&book, "A", 1); // remembered as id-1 for an hour
    book.now += INT64_C(2) * 3600 * 1000000;
    logbook_receive(&book, "A", 1); // as id-2
    row_of(FAMILY_REMEMBERED, "A", "id-1", BYTES(""));
    cr_assert(state_equal());
    scratch_close();
}

Test(replay, what_must_still_be_remembered_may_not)
{
    logbook_init(&book);
    logbook_receive(&book, "A", 1);
    row_of(FAMILY_REMEMBERED, "A", "id-1", BYTES(""));
    cr_assert(not(state_equal()));
    cr_assert(contains(&difference.json, "\"family\":\"remembered\""));
    scratch_close();
}
