// SPDX-License-Identifier: Apache-2.0
// Reshapes. Whatever is between two looks at the shop happens in a process of its own, so that it may be killed
// anywhere and no process that has a database open ever forks.
#include "place.h"
#include "store/epochs.h"
#include "store/keys.h"
#include "store/shop.h"
#include "tests/unit/effort.h"

TestSuite(shop, .init = place_make, .fini = place_remove, .timeout = 180);

enum { ROWS = 400, MEMORY = 64 * 1024 * 1024 };

static const enum family slotted[] = {FAMILY_HEAD, FAMILY_OPEN, FAMILY_CHILD, FAMILY_DUE, FAMILY_REMEMBERED};
static struct fault_text text;

static struct owner_map map_of(uint16_t inventory, uint16_t order)
{
    return (struct owner_map){{1, inventory, 1, order, 1, 1}};
}

static struct shop *open_shop(bool create, bool read_only)
{
    struct shop *shop = NULL;
    enum fault fault = shop_open(place_path("shop"), create, read_only, &shop, &text);
    CHECK(!fault, "%s", text.line);
    return shop;
}

static struct store *open_database(struct shop *shop, enum kind_id kind, uint16_t index)
{
    struct shop_database_path path = shop_database(shop, (struct actor_id){kind, index});
    return place_open((struct store_options){.path = path.text, .sync = true});
}

static void must_reshape(struct shop *shop, struct owner_map wanted)
{
    enum fault fault = shop_reshape(shop, &wanted, MEMORY, true, NULL, &text);
    CHECK(!fault, "%s", text.line);
}

// ---- the rows a shop has: made from their number alone, so that they can be checked without remembering them ----

static const char *name_of(int number)
{
    static char name[24];
    snprintf(name, sizeof name, "entity-%d", number);
    return name;
}

static void row_of(int number, enum family family, struct buffer *key, struct buffer *value)
{
    struct bytes name = bytes_text(name_of(number));
    buffer_clear(key);
    buffer_clear(value);
    if (family == FAMILY_DUE)
        keys_due(key, name, number, 7, 8);
    else
        keys_child(key, name, family == FAMILY_HEAD || family == FAMILY_OPEN ? BYTES("") : BYTES("child"));
    buffer_printf(value, "%s of %s, the only true version", family_name(family), name_of(number));
}

// Every row at its owner, in the families by turns; a log row for each database.
static void seed_kind(struct shop *shop, enum kind_id kind)
{
    const struct owner_map *owners = &shop_record(shop)->owners;
    struct buffer key = {0}, value = {0};
    for (uint16_t i = 0; i < owners->count[kind]; i++) {
        struct store *store = open_database(shop, kind, i);
        for (int number = 0; number < ROWS; number++) {
            if (owner_of(owners, kind, slot_of(bytes_text(name_of(number)))) != i)
                continue;
            row_of(number, slotted[number % 5], &key, &value);
            store_put(store, slotted[number % 5], buffer_bytes(&key), buffer_bytes(&value));
        }
        buffer_clear(&key);
        keys_seq(&key, 1);
        store_put(store, FAMILY_LOG, buffer_bytes(&key), BYTES("the log stays where it is"));
        place_commit(store);
        store_close(&store);
    }
    buffer_deinit(&key);
    buffer_deinit(&value);
}

// To look at: costs a fraction of opening it to serve.
static struct store *look_into(struct shop *shop, struct actor_id actor)
{
    struct shop_database_path path = shop_database(shop, actor);
    return place_open((struct store_options){.path = path.text, .read_only = true});
}

static void seed(void *wanted)
{
    struct shop *shop = open_shop(true, false);
    must_reshape(shop, *(struct owner_map *)wanted);
    seed_kind(shop, KIND_INVENTORY);
    seed_kind(shop, KIND_ORDER);
    shop_close(&shop);
}

// ---- whether they are where they belong ----

static void check_row(struct shop *shop, struct store *store, struct actor_id actor, int number)
{
    struct buffer key = {0}, value = {0};
    struct arena arena;
    struct bytes found;
    arena_init(&arena);
    row_of(number, slotted[number % 5], &key, &value);
    struct store_key asked = {slotted[number % 5], buffer_bytes(&key)};
    uint16_t owner = owner_of(&shop_record(shop)->owners, actor.kind, slot_of(bytes_text(name_of(number))));
    CHECK(!store_get(store, 1, &asked, &found, &arena), "get");
    if (owner == actor.index)
        CHECK(found.at && bytes_equal(found, buffer_bytes(&value)), "%s has lost row %d", actor_id_name(actor).text,
              number);
    else
        CHECK(!found.at, "%s still has row %d of %u", actor_id_name(actor).text, number, owner);
    arena_deinit(&arena);
    buffer_deinit(&key);
    buffer_deinit(&value);
}

static void check_kind(struct shop *shop, enum kind_id kind, uint16_t served)
{
    uint64_t rows = 0, logs = 0;
    for (uint16_t i = 0; i < shop_record(shop)->ever.count[kind]; i++) {
        struct actor_id actor = {kind, i};
        struct store *store = look_into(shop, actor);
        for (int number = 0; number < ROWS; number++)
            check_row(shop, store, actor, number);
        for (int f = 0; f < 5; f++)
            rows += place_count(store, slotted[f], BYTES(""), BYTES(""));
        logs += place_count(store, FAMILY_LOG, BYTES(""), BYTES(""));
        store_close(&store);
    }
    CHECK(rows == ROWS, "%s: %llu rows", kind_name(kind), (unsigned long long)rows);
    CHECK(logs == served, "%s: %llu log rows of %u", kind_name(kind), (unsigned long long)logs, served);
}

struct step {
    struct owner_map from, wanted;
    int die_at; // line of progress; -1: never
};

static int lines_left;

static void die(const char *line)
{
    if (lines_left-- == 0)
        _exit(9);
}

static void reshape(void *context)
{
    struct step *step = context;
    struct shop *shop = open_shop(false, false);
    lines_left = step->die_at;
    enum fault fault = shop_reshape(shop, &step->wanted, MEMORY, true, die, &text);
    CHECK(!fault, "%s", text.line);
    CHECK(!memcmp(&shop_record(shop)->owners, &step->wanted, sizeof step->wanted), "owners");
    check_kind(shop, KIND_INVENTORY, step->from.count[KIND_INVENTORY]);
    check_kind(shop, KIND_ORDER, step->from.count[KIND_ORDER]);
    shop_close(&shop);
}

// ---- tests ----

Test(shop, a_reshape_keeps_every_row_at_its_owner_and_nothing_else)
{
    struct owner_map first = map_of(2, 3);
    cr_assert_eq(place_child(seed, &first), 0);
    static const uint16_t counts[][2] = {{5, 1}, {1, 1}, {3, 4}, {3, 2}, {12, 2}, {2, 3}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts / (EFFORT == 1 ? 2 : 1); i++) {
        struct step step = {first, map_of(counts[i][0], counts[i][1]), -1};
        cr_assert_eq(place_child(reshape, &step), 0, "to %u and %u", counts[i][0], counts[i][1]);
        cr_assert_eq(place_child(reshape, &step), 0, "again: nothing to do");
    }
}

// Killed at each line of progress, before and after the commit; the next start goes on, or back to what was.
static void kill_at_every_step(struct owner_map from, struct owner_map to)
{
    int line = 0;
    cr_assert_eq(place_child(seed, &from), 0);
    cr_assert_eq(rename(place_path("shop"), place_path("seeded")), 0);
    for (bool ended = false; !ended; line += EFFORT == 1 ? 3 : 1) {
        cr_assert_lt(line, 50);
        place_copy_tree("seeded", "shop");
        struct step killed = {from, to, line};
        int code = place_child(reshape, &killed);
        cr_assert(code == 9 || code == 0, "line %d: %d", line, code);
        ended = code == 0;
        struct step next = {from, line % 2 ? from : to, -1};
        cr_assert_eq(place_child(reshape, &next), 0, "after a kill at line %d", line);
        struct step other = {from, line % 2 ? to : from, -1};
        cr_assert_eq(place_child(reshape, &other), 0, "and on, after a kill at line %d", line);
        place_remove_tree(place_path("shop"));
    }
    cr_assert_geq(line, 5, "killed while moving and while sweeping");
}

Test(shop, a_kill_while_growing_changes_nothing)
{
    kill_at_every_step(map_of(2, 2), map_of(3, 2));
}

Test(shop, a_kill_while_shrinking_changes_nothing)
{
    kill_at_every_step(map_of(3, 1), map_of(1, 2));
}

// What a copy that did not finish leaves: rows where they do not belong, here with values that would be noticed.
static void plant(void *context)
{
    struct shop *shop = open_shop(false, false);
    const struct owner_map *owners = &shop_record(shop)->owners;
    struct buffer key = {0}, value = {0};
    for (uint16_t i = 0; i < owners->count[KIND_INVENTORY]; i++) {
        struct store *store = open_database(shop, KIND_INVENTORY, i);
        for (int number = 0; number < 2 * ROWS; number++) {
            if (owner_of(owners, KIND_INVENTORY, slot_of(bytes_text(name_of(number)))) == i)
                continue;
            row_of(number, slotted[number % 5], &key, &value);
            store_put(store, slotted[number % 5], buffer_bytes(&key), BYTES("garbage"));
        }
        place_commit(store);
        store_close(&store);
    }
    buffer_deinit(&key);
    buffer_deinit(&value);
    shop_close(&shop);
}

Test(shop, garbage_never_comes_to_count)
{
    struct owner_map first = map_of(2, 1);
    cr_assert_eq(place_child(seed, &first), 0);
    static const uint16_t counts[] = {3, 1, 4, 2};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        cr_assert_eq(place_child(plant, NULL), 0);
        struct step step = {first, map_of(counts[i], 1), -1};
        cr_assert_eq(place_child(reshape, &step), 0, "to %u", counts[i]);
    }
}

static void equal_maps_while_a_database_is_open(void *context)
{
    struct owner_map *wanted = context;
    struct shop *shop = open_shop(false, false);
    struct store *store = open_database(shop, KIND_INVENTORY, 0);
    must_reshape(shop, *wanted); // would be locked out
    store_close(&store);
    shop_close(&shop);
}

Test(shop, an_ordinary_start_opens_no_database)
{
    struct owner_map wanted = map_of(2, 1);
    cr_assert_eq(place_child(seed, &wanted), 0);
    cr_assert_eq(place_child(equal_maps_while_a_database_is_open, &wanted), 0);
}

static void expect_reshape_fault(void *context)
{
    struct shop *shop = open_shop(true, false);
    struct owner_map wanted = map_of(2, 1);
    enum fault fault = shop_reshape(shop, &wanted, MEMORY, true, NULL, &text);
    CHECK(fault == *(enum fault *)context, "%d: %s", (int)fault, text.line);
    CHECK(strstr(text.line, "restore"), "%s", text.line);
    shop_close(&shop);
}

Test(shop, a_lost_database_is_missing_and_not_made_anew)
{
    struct owner_map wanted = map_of(2, 1);
    enum fault expected = FAULT_MISSING;
    cr_assert_eq(place_child(seed, &wanted), 0);
    place_remove_tree(place_path("shop/inventory-1"));
    cr_assert_eq(place_child(expect_reshape_fault, &expected), 0);
    cr_assert_neq(access(place_path("shop/inventory-1"), F_OK), 0);
}

// Nobody reads from it any more, but its log is part of what happened.
Test(shop, a_lost_database_of_a_retired_actor_is_missing)
{
    struct owner_map first = map_of(3, 1);
    struct step shrink = {first, map_of(2, 1), -1};
    enum fault expected = FAULT_MISSING;
    cr_assert_eq(place_child(seed, &first), 0);
    cr_assert_eq(place_child(reshape, &shrink), 0);
    place_remove_tree(place_path("shop/inventory-2"));
    cr_assert_eq(place_child(expect_reshape_fault, &expected), 0);
}

Test(shop, databases_that_served_without_their_meta_are_not_touched)
{
    struct owner_map wanted = map_of(2, 1);
    enum fault expected = FAULT_CORRUPTION;
    cr_assert_eq(place_child(seed, &wanted), 0);
    cr_assert_eq(rename(place_path("shop/meta"), place_path("meta")), 0);
    cr_assert_eq(place_child(expect_reshape_fault, &expected), 0);
    place_remove_tree(place_path("shop/meta"));
    cr_assert_eq(rename(place_path("meta"), place_path("shop/meta")), 0);
    struct step step = {wanted, wanted, -1};
    cr_assert_eq(place_child(reshape, &step), 0, "all rows are there");
}

Test(shop, what_it_says_of_itself_survives)
{
    struct shop *shop = open_shop(true, false);
    cr_assert_eq(shop_record(shop)->epoch, 0);
    must_reshape(shop, map_of(4, 1));
    must_reshape(shop, map_of(2, 1));
    cr_assert_eq(shop_begin_epoch(shop, 7, 1234, &text), FAULT_NONE);
    shop_close(&shop);
    cr_assert_null(shop);
    shop = open_shop(false, true);
    const struct shop_record *record = shop_record(shop);
    cr_assert_eq(record->epoch, 7);
    cr_assert_eq(record->written_at, 1234);
    cr_assert_eq(record->owners.count[KIND_INVENTORY], 2);
    cr_assert_eq(record->ever.count[KIND_INVENTORY], 4);
    cr_assert_str_eq(shop_path(shop), place_path("shop"));
    shop_close(&shop);
}

static void expect_locked(void *context)
{
    int *ready = context;
    char byte;
    struct shop *shop = NULL;
    CHECK(read(*ready, &byte, 1) == 1, "the other one has opened it");
    enum fault fault = shop_open(place_path("shop"), false, false, &shop, &text);
    CHECK(fault == FAULT_LOCKED && strstr(text.line, place_path("shop")), "%d: %s", (int)fault, text.line);
    shop = open_shop(false, true); // looking on is allowed
    shop_close(&shop);
}

Test(shop, another_process_is_locked_out)
{
    int ready[2];
    cr_assert_eq(pipe(ready), 0);
    pid_t child = fork(); // before anything is opened here
    if (child == 0) {
        expect_locked(&ready[0]);
        _exit(0);
    }
    struct shop *shop = open_shop(true, false);
    int status;
    cr_assert_eq(write(ready[1], "x", 1), 1);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
    shop_close(&shop);
}

Test(shop, the_same_process_is_locked_out)
{
    struct shop *shop = open_shop(true, false), *again = NULL;
    cr_assert_eq(shop_open(place_path("shop"), true, false, &again, &text), FAULT_LOCKED, "%s", text.line);
    cr_assert_null(again);
    shop_close(&shop);
    shop = open_shop(false, false);
    shop_close(&shop);
}

Test(shop, a_path_without_a_shop_is_missing_unless_it_is_made)
{
    struct shop *shop = NULL;
    cr_assert_eq(shop_open(place_path("shop"), false, false, &shop, &text), FAULT_MISSING);
    cr_assert_neq(access(place_path("shop"), F_OK), 0);
    cr_assert_eq(shop_open(place_path("shop/deep/down"), true, false, &shop, &text), FAULT_NONE, "%s", text.line);
    shop_close(&shop);
}

Test(shop, a_checkpoint_of_meta_opens)
{
    struct shop *shop = open_shop(true, false);
    must_reshape(shop, map_of(2, 1));
    cr_assert_eq(mkdir(place_path("copy"), 0700), 0);
    cr_assert_eq(shop_checkpoint(shop, place_path("copy"), &text), FAULT_NONE, "%s", text.line);
    shop_close(&shop);
    cr_assert_eq(shop_open(place_path("copy"), false, true, &shop, &text), FAULT_NONE, "%s", text.line);
    cr_assert_eq(shop_record(shop)->owners.count[KIND_INVENTORY], 2);
    shop_close(&shop);
}

// ---- the plan ----

static uint16_t owner_after[SLOT_COUNT];
static struct owner_map plan_from, plan_to;

static void note_move(void *context, struct actor_id source, struct actor_id target, uint32_t from, uint32_t to)
{
    cr_assert_eq(source.kind, KIND_CART);
    cr_assert_eq(target.kind, KIND_CART);
    cr_assert_neq(source.index, target.index);
    cr_assert_lt(from, to);
    for (uint32_t slot = from; slot < to; slot++) {
        cr_assert_eq(owner_after[slot], source.index, "slot %u moves once, from its owner", slot);
        owner_after[slot] = target.index;
    }
}

Test(shop, the_plan_takes_each_slot_from_its_owner_to_its_next)
{
    for (uint16_t from = 1; from <= ACTORS_MAX; from++)
        for (uint16_t to = 1; to <= ACTORS_MAX; to++) {
            plan_from = (struct owner_map){.count[KIND_CART] = from, .count[KIND_ORDER] = 2};
            plan_to = (struct owner_map){.count[KIND_CART] = to, .count[KIND_ORDER] = 2, .count[KIND_CATALOG] = 3};
            for (uint16_t slot = 0; slot < SLOT_COUNT; slot++)
                owner_after[slot] = owner_of(&plan_from, KIND_CART, slot);
            shop_plan(&plan_from, &plan_to, note_move, NULL);
            for (uint16_t slot = 0; slot < SLOT_COUNT; slot++)
                cr_assert_eq(owner_after[slot], owner_of(&plan_to, KIND_CART, slot), "%u to %u", from, to);
        }
}

// ---- parts of different moments (store/epochs.h) ----

// One epoch more: begun in the shop, seen by the databases, served.
static void live_on(void *unused)
{
    struct shop *shop = open_shop(false, false);
    uint64_t epoch = shop_record(shop)->epoch + 1;
    CHECK(!shop_begin_epoch(shop, epoch, 1, &text), "%s", text.line);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (uint16_t i = 0; i < shop_record(shop)->ever.count[kind]; i++) {
            struct store *store = open_database(shop, kind, i);
            epochs_note(store, epoch);
            place_commit(store);
            store_close(&store);
        }
    CHECK(!shop_serve_epoch(shop, &text), "%s", text.line);
    shop_close(&shop);
}

static void copy_tree(const char *from, const char *to)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf %s && cp -a %s %s", to, from, to);
    CHECK(system(command) == 0, "%s", command);
}

// Exit code 0: the reshape was refused as corruption, and the text says what to restore.
static void refuse_reshape(void *wanted)
{
    struct shop *shop = open_shop(false, false);
    enum fault fault = shop_reshape(shop, wanted, MEMORY, true, NULL, &text);
    CHECK(fault == FAULT_CORRUPTION && strstr(text.line, "restore the whole directory"), "%d %s", (int)fault, text.line);
    shop_close(&shop);
}

static void apart(const char *part)
{
    struct owner_map before = map_of(2, 1), after = map_of(3, 1);
    char original[128];
    snprintf(original, sizeof original, "shop/%s", part);
    cr_assert_eq(place_child(seed, &before), 0);
    cr_assert_eq(place_child(live_on, NULL), 0);
    copy_tree(place_path(original), place_path("old"));
    cr_assert_eq(place_child(live_on, NULL), 0);
    cr_assert_eq(place_child(live_on, NULL), 0);
    copy_tree(place_path("old"), place_path(original));
    cr_assert_eq(place_child(refuse_reshape, &after), 0);
}

Test(shop, a_record_older_than_its_databases_moves_nothing)
{
    apart("meta");
}

Test(shop, a_database_older_than_the_shop_is_not_moved_from)
{
    apart("inventory-1");
}
