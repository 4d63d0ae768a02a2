// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/teller.h"

#include "codec/check.h"
#include "tests/sim/words.h"

#include <inttypes.h>
#include <stdio.h>

enum { WIDTH = 100, AT_WHO = 13, AT_WHAT = 29 };

static void put(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

// Spaces up to a column of the last line; at least one.
static void column(struct buffer *out, size_t column)
{
    size_t start = out->size, width = 0;
    while (start && out->at[start - 1] != '\n')
        start--;
    for (size_t i = start; i < out->size; i++)
        width += (out->at[i] & 0xc0) != 0x80; // characters, not bytes
    do
        put(out, " ");
    while (++width < column);
}

static void paragraph(struct buffer *out, const char *text)
{
    size_t width = 0;
    while (*text) {
        size_t word = strcspn(text, " ");
        bool breaks = width && width + 1 + word > WIDTH;
        put(out, breaks ? "\n" : width ? " " : "");
        width = (breaks || !width ? 0 : width + 1) + word;
        buffer_append(out, text, word);
        text += word + strspn(text + word, " ");
    }
    put(out, "\n");
}

// ---- blocks

static void again_told(struct teller *teller)
{
    if (!teller->again)
        return;
    struct buffer *out = &teller->text;
    column(out, AT_WHAT);
    buffer_printf(out, "… and %" PRIu32 " more like this, the last at ", teller->again);
    words_time(teller->again_until, out);
    put(out, "\n");
    teller->again = 0;
}

static void time_told(struct teller *teller, int64_t at)
{
    struct buffer time = {0};
    words_time(at, &time);
    buffer_printf(&teller->text, "%*.*s", AT_WHO - 2, BYTES_FORMAT(buffer_bytes(&time)));
    column(&teller->text, AT_WHO);
    buffer_deinit(&time);
}

// A block begins with what happens to whom; its time is told before it.
static void block_told(struct teller *teller, int64_t at, const struct buffer *block)
{
    if (teller->last.size && bytes_equal(buffer_bytes(block), buffer_bytes(&teller->last))) {
        teller->again++;
        teller->again_until = at;
        return;
    }
    again_told(teller);
    buffer_clear(&teller->last);
    buffer_append(&teller->last, block->at, block->size);
    time_told(teller, at);
    buffer_append(&teller->text, block->at, block->size);
}

static void block_open(struct buffer *block, const char *who)
{
    buffer_printf(block, "%s", who);
    column(block, AT_WHAT - AT_WHO);
}

static void verb(struct buffer *block, const char *word)
{
    column(block, AT_WHAT);
    put(block, word);
    column(block, AT_WHAT + 10);
}

void teller_line(struct teller *teller, int64_t at, const char *text)
{
    struct buffer block = {0};
    block_open(&block, "──");
    buffer_printf(&block, "%s\n", text);
    block_told(teller, at, &block);
    buffer_deinit(&block);
}

void teller_note(struct teller *teller, const char *text)
{
    again_told(teller);
    buffer_clear(&teller->last);
    put(&teller->text, "\n");
    paragraph(&teller->text, text);
    put(&teller->text, "\n");
}

// ---- a decision

static const struct said *said_of(const struct story *story, struct bytes id)
{
    const struct said *said = story->said;
    while (said && !bytes_equal(bytes_text(said->id), id))
        said = said->next;
    return said;
}

static void put_sender(const struct teller *teller, const struct world_decision *decision, struct buffer *out)
{
    switch (decision->in.origin) {
    case LOG_CLIENT:
        put(out, said_of(teller->story, decision->request.id)->who);
        return;
    case LOG_RUNTIME:
        put(out, decision->def->type == MESSAGE_order_resume ? "the start" : "the clock");
        return;
    case LOG_PEER:
        if (decision->in.sender.kind == KIND_COUNT || decision->def->type == MESSAGE_payment_outcome)
            put(out, "the provider");
        else
            words_entity(decision->in.sender.kind, decision->in.sender.key, out);
        return;
    }
}

static void put_head(const struct teller *teller, const struct world_decision *decision, struct buffer *block)
{
    struct buffer who = {0}, body = {0};
    words_entity(decision->actor.kind, decision->request.key, &who);
    pack_raw(&who, bytes_of("", 1));
    block_open(block, (const char *)who.at);
    buffer_printf(block, "gets %s from ", decision->def->name);
    put_sender(teller, decision, block);
    bool timed = decision->in.origin == LOG_RUNTIME; // its time stands in front
    if (!timed)
        words_request(decision->def, decision->request.body, &body);
    if (body.size)
        buffer_printf(block, ": %.*s", BYTES_FORMAT(buffer_bytes(&body)));
    put(block, "\n");
    buffer_deinit(&who);
    buffer_deinit(&body);
}

static void put_send(const struct effect *effect, struct buffer *block)
{
    const struct message_def *def = message_by_number(effect->message);
    struct buffer body = {0};
    verb(block, "sends");
    words_entity(effect->target.kind, effect->target.key, block);
    column(block, AT_WHAT + 24);
    put(block, def->name);
    words_request(def, effect->value, &body);
    if (body.size)
        buffer_printf(block, ": %.*s", BYTES_FORMAT(buffer_bytes(&body)));
    put(block, "\n");
    buffer_deinit(&body);
}

static void put_call(const struct effect *effect, struct buffer *block)
{
    struct effect send = *effect;
    const struct message_def *def = message_by_number(MESSAGE_sandbox_operate);
    verb(block, "sends");
    put(block, "the provider");
    column(block, AT_WHAT + 24);
    words_request(def, send.value, block);
    put(block, "\n");
}

static void put_effect(enum kind_id kind, const struct effect *effect, struct buffer *block)
{
    switch (effect->type) {
    case EFFECT_PUT:
    case EFFECT_DELETE:
        verb(block, effect->type == EFFECT_PUT ? "writes" : "removes");
        words_record(kind, effect, block);
        put(block, "\n");
        return;
    case EFFECT_SEND:
        put_send(effect, block);
        return;
    case EFFECT_PROVIDER:
        put_call(effect, block);
        return;
    case EFFECT_EVENT:
        verb(block, "event");
        buffer_printf(block, "%s\n", event_by_number(effect->message)->name);
        return;
    case EFFECT_REASK:
        verb(block, "counts");
        put(block, "an answer that never came\n");
        return;
    case EFFECT_WAKE:
    case EFFECT_DUE:
        return;
    }
}

// ---- what an order comes to

static const struct effect *order_put(const struct world_decision *decision)
{
    for (uint32_t i = 0; i < decision->effects_count; i++) {
        const struct effect *effect = &decision->effects[i];
        if (effect->type == EFFECT_PUT && effect->place != PLACE_CHILD)
            return effect;
    }
    return NULL;
}

static void moved(struct buffer *block, const char *what, char known[static 32], struct bytes now)
{
    if (bytes_equal(bytes_text(known), now))
        return;
    verb(block, what);
    buffer_printf(block, "%s → %.*s\n", known[0] ? known : "none", BYTES_FORMAT(now));
    snprintf(known, 32, "%.*s", BYTES_FORMAT(now));
}

static void put_order(struct teller *teller, const struct world_decision *decision, struct buffer *block)
{
    const struct effect *put_ = order_put(decision);
    struct order record;
    struct arena arena;
    int i = 0;
    if (!put_)
        return;
    arena_init(&arena);
    CHECK(record_decode(order_shape(), put_->value, &record, &arena));
    while (teller->orders[i].name[0] && !bytes_equal(bytes_text(teller->orders[i].name), decision->request.key))
        i++;
    CHECK(i < STORY_ORDERS_MAX - 1);
    snprintf(teller->orders[i].name, sizeof teller->orders[i].name, "%.*s", BYTES_FORMAT(decision->request.key));
    moved(block, "step", teller->orders[i].step, record.step);
    moved(block, "status", teller->orders[i].status, record.status);
    arena_deinit(&arena);
}

// ---- the answer

static void put_outcome(const struct world_decision *decision, struct buffer *block)
{
    bool answers = decision->def->reply() != no_answer_shape();
    if (decision->waits) {
        verb(block, "keeps");
        put(block, "the shopper waiting\n");
    } else if (answers && (decision->in.origin == LOG_PEER || decision->status != STATUS_ok)) {
        verb(block, decision->status == STATUS_ok || decision->kept ? "answers" : "refuses");
        words_answer(decision->def, bytes_text(status_name(decision->status)), decision->reply, block);
        put(block, "\n");
    }
}

void teller_decided(struct teller *teller, const struct world_decision *decision)
{
    struct buffer block = {0};
    bool done = decision->status == STATUS_ok || decision->kept;
    put_head(teller, decision, &block);
    size_t head = block.size;
    if (decision->actor.kind == KIND_ORDER && done)
        put_order(teller, decision, &block);
    for (uint32_t i = 0; i < decision->effects_count && done; i++)
        put_effect(decision->actor.kind, &decision->effects[i], &block);
    put_outcome(decision, &block);
    if (block.size == head && decision->in.origin != LOG_CLIENT) {
        verb(&block, "ignores");
        put(&block, "it\n");
    }
    block_told(teller, decision->at, &block);
    buffer_deinit(&block);
}

void teller_replied(struct teller *teller, int64_t at, const struct said *said, struct bytes body)
{
    struct buffer block = {0};
    block_open(&block, said->who);
    buffer_printf(&block, "hears of %s %s: ", said->def->name, said->key);
    words_answer(said->def, bytes_text(said->status), body, &block);
    put(&block, "\n");
    block_told(teller, at, &block);
    buffer_deinit(&block);
}

// ---- the whole

void teller_begin(struct teller *teller, struct story *story)
{
    teller->story = story;
    buffer_printf(&teller->text, "%s\n\n", story->def->title);
    paragraph(&teller->text, story->def->shows);
    put(&teller->text, "\n");
}

static void end_orders(struct teller *teller)
{
    for (int i = 0; i < STORY_ORDERS_MAX && teller->story->orders[i].id; i++) {
        const char *id = teller->story->orders[i].id;
        const char *status = story_order_status(teller->story, id);
        const struct model_order *order = model_order(&teller->story->model, bytes_text(id));
        if (!order || !*status)
            continue;
        struct provider_sums sums = model_sums(&teller->story->model, order);
        buffer_printf(&teller->text, "  order %-10s%s; ", id, status);
        buffer_printf(&teller->text, "the provider captured %s",
                      money_format((struct money){sums.captured, "GBP"}).text);
        buffer_printf(&teller->text, " and refunded %s\n", money_format((struct money){sums.refunded, "GBP"}).text);
    }
}

static void end_stock(struct teller *teller)
{
    for (const struct model_stock *stock = teller->story->model.stocks; stock; stock = stock->hh.next)
        if (stock->known)
            buffer_printf(&teller->text,
                          "  stock %-10s%" PRId64 " on hand, %" PRId64 " reserved, %" PRId64 " committed, %" PRId64
                          " restocked\n",
                          stock->sku, stock->on_hand, model_reserved(stock), stock->committed, stock->restocked);
}

void teller_end(struct teller *teller)
{
    again_told(teller);
    put(&teller->text, "\nIn the end:\n\n");
    end_orders(teller);
    end_stock(teller);
}

void teller_deinit(struct teller *teller)
{
    buffer_deinit(&teller->text);
    buffer_deinit(&teller->last);
}
