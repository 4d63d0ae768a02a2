// SPDX-License-Identifier: Apache-2.0
// Last words become rows, rows become an epoch's list; and what keeps a node down.
#include "place.h"
#include "store/last_words.h"
#include "store/quarantine.h"

#include <sys/wait.h>

static struct shop *shop;
static struct quarantine quarantine;
static struct fault_text text;

static void open_shop(void)
{
    place_make();
    cr_assert_eq(shop_open(place, true, false, &shop, &text), FAULT_NONE, "%s", text.line);
    quarantine = (struct quarantine){0};
}

static void close_shop(void)
{
    quarantine_deinit(&quarantine);
    shop_close(&shop);
    place_remove();
}

TestSuite(quarantine, .init = open_shop, .fini = close_shop, .timeout = 60);

static void reload(void)
{
    quarantine_deinit(&quarantine);
    cr_assert_eq(quarantine_load(shop, &quarantine, &text), FAULT_NONE, "%s", text.line);
}

static void die(const char *key, int64_t at, struct bytes message)
{
    struct last_words words = {.at = at, .kind = KIND_ORDER, .origin = LOG_PEER, .sender_kind = KIND_INVENTORY};
    words.key_size = (uint8_t)strlen(key);
    memcpy(words.key, key, words.key_size);
    words.type_size = 12;
    memcpy(words.type, "order.answer", 12);
    words.sender_size = 3;
    memcpy(words.sender, "mug", 3);
    words.death_size = 8;
    memcpy(words.death, "CHE\xff\nK(0)", 8);
    int file = last_words_open(place, &text);
    cr_assert(file >= 0, "%s", text.line);
    last_words_write(file, &words, message);
    close(file);
}

static bool take(void)
{
    bool taken;
    cr_assert_eq(quarantine_take_last_words(shop, &taken, &text), FAULT_NONE, "%s", text.line);
    reload();
    return taken;
}

Test(quarantine, nobody_died)
{
    cr_expect_not(take(), "there is no file");
    close(last_words_open(place, &text));
    cr_expect_not(take(), "nothing was written");
    cr_expect_eq(quarantine.count, 0);
}

Test(quarantine, last_words_become_a_row_once)
{
    die("o-1", 77, BYTES("the message"));
    cr_assert(take());
    cr_expect_not(take(), "the file was emptied");
    cr_assert_eq(quarantine.count, 1);
    const struct quarantined *row = quarantine_find(&quarantine, (struct entity){KIND_ORDER, BYTES("o-1")});
    cr_assert(row);
    cr_expect(bytes_equal(row->type, BYTES("order.answer")));
    cr_expect(bytes_equal(row->sender, BYTES("mug")));
    cr_expect(bytes_equal(row->sender_kind, BYTES("inventory")));
    cr_expect(bytes_equal(row->message, BYTES("the message")));
    cr_expect(bytes_equal(row->death, BYTES("CHE??K(0")), "what cannot be shown is not kept");
    cr_expect_eq(row->at, 77);
    uint64_t hash = hash_of(BYTES("the message"));
    cr_expect_eq(memcmp(row->hash.at, &hash, sizeof hash), 0);
    cr_expect_null(quarantine_find(&quarantine, (struct entity){KIND_CART, BYTES("o-1")}));
}

// Whoever may not write dies of the row it wants to keep.
static void die_over_the_row(void)
{
    bool taken;
    shop_open(place, false, true, &shop, &text);
    quarantine_take_last_words(shop, &taken, &text);
    _exit(0);
}

Test(quarantine, last_words_stay_until_their_row_is_kept)
{
    int status;
    die("O-1", 1, BYTES("\x01"));
    shop_close(&shop);
    pid_t child = fork();
    if (child == 0)
        die_over_the_row();
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status));
    cr_assert_eq(shop_open(place, false, false, &shop, &text), FAULT_NONE, "%s", text.line);
    cr_expect(take());
    cr_expect_eq(quarantine.count, 1);
}

Test(quarantine, a_message_too_long_is_known_by_its_hash)
{
    struct bytes message = {calloc(1, LAST_WORDS_MESSAGE_MAX + 1), LAST_WORDS_MESSAGE_MAX + 1};
    die("o-1", 1, message);
    free((void *)message.at);
    cr_assert(take());
    cr_expect_eq(quarantine.list[0].size, LAST_WORDS_MESSAGE_MAX + 1);
    cr_expect_not(quarantine.list[0].has_message);
}

Test(quarantine, a_damaged_file_is_nobodys_last_word)
{
    die("o-1", 1, BYTES("m"));
    int file = open(place_path("last-words"), O_WRONLY);
    cr_assert_eq(pwrite(file, "x", 1, 60), 1);
    close(file);
    cr_expect_not(take());
    cr_expect_eq(quarantine.count, 0);
}

Test(quarantine, clearing_is_by_kind_and_key_and_lasts)
{
    die("a", 1, BYTES("m"));
    take();
    die("b", 2, BYTES("m"));
    take();
    cr_assert_eq(quarantine.count, 2);
    struct buffer names = {0};
    quarantine_pack(&quarantine, &names);
    cr_expect(bytes_equal(buffer_bytes(&names), BYTES("\x92\x92\xa5order\xa1" "a\x92\xa5order\xa1" "b")));
    buffer_deinit(&names);
    cr_assert_eq(quarantine_clear(shop, (struct entity){KIND_ORDER, BYTES("a")}, &text), FAULT_NONE);
    reload();
    cr_assert_eq(quarantine.count, 1);
    cr_expect(bytes_equal(quarantine.list[0].key, BYTES("b")));
}

static void die_at(int64_t seconds)
{
    char key[32];
    snprintf(key, sizeof key, "o-%d", (int)seconds);
    die(key, seconds * 1000000, BYTES("m"));
    take();
}

Test(quarantine, four_deaths_in_ten_minutes_are_one_too_many)
{
    for (int64_t seconds = 1000; seconds <= 1003; seconds++)
        die_at(seconds);
    cr_expect_eq(quarantine_admits(&quarantine, place, &text), FAULT_USAGE);
}

Test(quarantine, three_deaths_in_ten_minutes_may_be_and_a_fourth_keeps_the_node_down)
{
    for (int64_t seconds = 1000; seconds <= 1002; seconds++)
        die_at(seconds);
    cr_expect_eq(quarantine_admits(&quarantine, place, &text), FAULT_NONE);
    die_at(1601);
    cr_expect_eq(quarantine_admits(&quarantine, place, &text), FAULT_NONE, "the first is 601 s ago");
    die_at(1600);
    cr_expect_eq(quarantine_admits(&quarantine, place, &text), FAULT_USAGE);
    cr_expect(strstr(text.line, "order/o-1600") && strstr(text.line, "souk quarantine accept"), "%s", text.line);
    cr_assert_eq(quarantine_accept(shop, &text), FAULT_NONE);
    reload();
    cr_expect_eq(quarantine_admits(&quarantine, place, &text), FAULT_NONE, "an operator has seen them");
    cr_expect_eq(quarantine.count, 5, "and they stay where they are");
}
