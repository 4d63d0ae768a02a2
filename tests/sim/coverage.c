// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/coverage.h"

#include "codec/check.h"

#include <inttypes.h>

const char *const sim_fault_names[SIM_FAULTS] = {
    [FAULT_REQUEST_DROPPED] = "request dropped", [FAULT_REQUEST_TWICE] = "request twice",
    [FAULT_REQUEST_DELAYED] = "request delayed", [FAULT_REPLY_DROPPED] = "reply dropped",
    [FAULT_REPLY_TWICE] = "reply twice",         [FAULT_REPLY_DELAYED] = "reply delayed",
    [FAULT_CLOCK_FORWARD] = "clock forward",     [FAULT_CLOCK_BACK] = "clock back",
    [FAULT_LONG_OUTAGE] = "down for long",
};

const char *const reshape_names[RESHAPES] = {
    [RESHAPE_DONE] = "done",
    [RESHAPE_DIED_MOVING] = "write refused before the owner map",
    [RESHAPE_DIED_COMMITTED] = "write refused after the owner map",
    [RESHAPE_DIED_SWEEPING] = "write refused with nothing to move",
};

static const char *const step_names[] = {
#define ORDER_STEP(name, sentence) #name,
#include "actors/kinds/order_steps.def"
#undef ORDER_STEP
};
static const char *const event_names[] = {
#define ORDER_EVENT(name, sentence, ...) #name,
#include "actors/kinds/order_steps.def"
#undef ORDER_EVENT
};
static const char *const order_status_names[] = {
#define ORDER_STATUS(name, stage, envelope) #name,
#include "actors/kinds/order_steps.def"
#undef ORDER_STATUS
};

// All members are numbers of one type.
void coverage_add(struct coverage *sum, const struct coverage *one)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)one;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

// ---- steps and events

static const struct effect *record_put(const struct world_decision *decision)
{
    bool done = decision->status == STATUS_ok || decision->kept;
    for (uint32_t i = 0; i < decision->effects_count && done; i++) {
        const struct effect *effect = &decision->effects[i];
        if (effect->type == EFFECT_PUT && (effect->place == PLACE_OPEN || effect->place == PLACE_HEAD))
            return effect;
    }
    return NULL;
}

enum order_step coverage_step(const struct world_decision *decision, enum order_step before)
{
    const struct effect *put = record_put(decision);
    struct arena arena;
    struct order record;
    if (!put)
        return before;
    arena_init(&arena);
    CHECK(record_decode(order_shape(), put->value, &record, &arena));
    int step = 0;
    while (step < ORDER_STEP_COUNT && !bytes_equal(record.step, bytes_text(step_names[step])))
        step++;
    arena_deinit(&arena);
    return (enum order_step)step;
}

static int event_named(struct bytes name)
{
    for (int event = 0; event < ORDER_EVENT_COUNT; event++)
        if (bytes_equal(name, bytes_text(event_names[event])))
            return event;
    return -1;
}

static bool has_effect(const struct world_decision *decision, enum effect_type type)
{
    for (uint32_t i = 0; i < decision->effects_count; i++)
        if (decision->effects[i].type == type)
            return true;
    return false;
}

// An answer's event is the verb it answers; a note's its state.
static int event_of(const struct world_decision *decision)
{
    struct arena arena;
    struct refusal refusal;
    struct answer answer;
    struct payment_note note;
    int event = -1;
    arena_init(&arena);
    if (decision->def->type == MESSAGE_order_answer &&
        body_decode(answer_shape(), decision->request.body, &answer, &arena, &refusal)) {
        const uint8_t *dot = memchr(answer.re.at, '.', answer.re.size);
        struct bytes verb = bytes_of(dot + 1, (size_t)(answer.re.at + answer.re.size - dot - 1));
        event = bytes_equal(answer.re, BYTES("cart.settle")) ? ORDER_EVENT_cart_settle : event_named(verb);
    } else if (decision->def->type == MESSAGE_order_payment &&
               body_decode(payment_note_shape(), decision->request.body, &note, &arena, &refusal)) {
        event = event_named(note.state);
    } else if (decision->def->type == MESSAGE_order_wake) {
        event = has_effect(decision, EFFECT_REASK) ? ORDER_EVENT_overdue
                : record_put(decision)             ? ORDER_EVENT_deadline
                                                   : -1;
    } else if (decision->def->type != MESSAGE_order_get) {
        event = event_named(bytes_text(strchr(decision->def->name, '.') + 1));
    }
    arena_deinit(&arena);
    return event;
}

void coverage_decided(struct coverage *coverage, const struct world_decision *decision, enum order_step before)
{
    int event = event_of(decision);
    if (event >= 0)
        coverage->cells[event][before]++;
}

// ---- telling

static void print_counts(struct buffer *out, const char *title, const char *const names[], const uint64_t counts[],
                         int count)
{
    buffer_printf(out, "%s\n", title);
    for (int i = 0; i < count; i++)
        if (names[i])
            buffer_printf(out, "  %12" PRIu64 "  %s\n", counts[i], names[i]);
}

static void status_names_fill(const char *names[static STATUS_COUNT])
{
    for (int i = 0; i < STATUS_COUNT; i++)
        names[i] = status_name((enum status)i);
}

static int cells_reached(const struct coverage *coverage, int *all)
{
    int reached = 0;
    *all = 0;
    for (int event = 0; event < ORDER_EVENT_COUNT; event++)
        for (int step = 0; step < ORDER_STEP_COUNT; step++) {
            reached += coverage->cells[event][step] > 0;
            ++*all;
        }
    return reached;
}

static void print_cells(const struct coverage *coverage, struct buffer *out)
{
    int all, reached = cells_reached(coverage, &all);
    buffer_printf(out, "order steps × events: %d of %d reached\n  %-16s", reached, all, "");
    for (int step = 0; step < ORDER_STEP_COUNT; step++)
        buffer_printf(out, "%11s", step_names[step]);
    for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
        buffer_printf(out, "\n  %-16s", event_names[event]);
        for (int step = 0; step < ORDER_STEP_COUNT; step++)
            if (coverage->cells[event][step])
                buffer_printf(out, "%11" PRIu64, coverage->cells[event][step]);
            else
                buffer_printf(out, "%11s", "·");
    }
    buffer_printf(out, "\n");
}

static void kind_names_fill(const char *names[static KIND_COUNT])
{
    for (int i = 0; i < KIND_COUNT; i++)
        names[i] = kind_name((enum kind_id)i);
}

static void print_quarantines(const struct coverage *it, struct buffer *out)
{
    const char *names[KIND_COUNT];
    kind_names_fill(names);
    print_counts(out, "put into quarantine", names, it->isolated, KIND_COUNT);
    buffer_printf(out, "  %12" PRIu64 "  cleared again\n  %12" PRIu64 "  times all others came to rest meanwhile\n", it->lifted,
                  it->rests_isolated);
}

void coverage_print(const struct coverage *it, double seconds, struct buffer *out)
{
    const char *names[STATUS_COUNT];
    status_names_fill(names);
    print_cells(it, out);
    print_counts(out, "orders by end state", order_status_names, it->ends, ORDER_STATUS_COUNT);
    print_counts(out, "answers by name", names, it->statuses, STATUS_COUNT);
    print_counts(out, "faults on the wire and the clock", sim_fault_names, it->faults, SIM_FAULTS);
    print_counts(out, "faults of the provider", provider_fault_names, it->provider_faults, PROVIDER_FAULTS);
    print_counts(out, "reshapes", reshape_names, it->reshapes, RESHAPES);
    print_quarantines(it, out);
    print_counts(out, "ends of the process", world_death_names, it->deaths, DEATHS);
    buffer_printf(out,
                  "%" PRIu64 " seeds (%" PRIu64 " with the sandbox), %" PRIu64 " orders, %" PRIu64 " lines, %" PRIu64
                  " requests, %" PRIu64 " answers\n%" PRIu64 " turns, %" PRIu64 " messages, %" PRIu64
                  " commits, %" PRIu64 " crashes, %" PRIu64 " asked again, %" PRIu64 " audits\n%" PRIu64
                  " hours of the shop in %.1f s\n",
                  it->seeds, it->sandbox_seeds, it->orders, it->lines, it->requests, it->replies, it->turns, it->messages,
                  it->commits, it->crashes, it->reasks, it->audits, it->virtual_seconds / 3600, seconds);
}

static void json_counts(struct buffer *out, const char *title, const char *const names[], const uint64_t counts[],
                        int count)
{
    buffer_printf(out, "\"%s\":{", title);
    for (int i = 0; i < count; i++)
        buffer_printf(out, "%s\"%s\":%" PRIu64, i ? "," : "", names[i], counts[i]);
    buffer_printf(out, "},");
}

void coverage_json(const struct coverage *it, double seconds, struct buffer *out)
{
    const char *names[STATUS_COUNT], *kinds[KIND_COUNT];
    int all, reached = cells_reached(it, &all);
    status_names_fill(names);
    buffer_printf(out, "{\"cells\":{\"reached\":%d,\"all\":%d,\"missing\":[", reached, all);
    bool first = true;
    for (int event = 0; event < ORDER_EVENT_COUNT; event++)
        for (int step = 0; step < ORDER_STEP_COUNT; step++)
            if (!it->cells[event][step]) {
                buffer_printf(out, "%s\"%s/%s\"", first ? "" : ",", step_names[step], event_names[event]);
                first = false;
            }
    buffer_printf(out, "]},");
    json_counts(out, "orders_by_end", order_status_names, it->ends, ORDER_STATUS_COUNT);
    json_counts(out, "answers", names, it->statuses, STATUS_COUNT);
    json_counts(out, "faults", sim_fault_names, it->faults, SIM_FAULTS);
    json_counts(out, "provider_faults", provider_fault_names, it->provider_faults, PROVIDER_FAULTS);
    json_counts(out, "reshapes", reshape_names, it->reshapes, RESHAPES);
    kind_names_fill(kinds);
    json_counts(out, "quarantined", kinds, it->isolated, KIND_COUNT);
    buffer_printf(out, "\"cleared\":%" PRIu64 ",\"rests_in_quarantine\":%" PRIu64 ",", it->lifted, it->rests_isolated);
    json_counts(out, "deaths", world_death_names, it->deaths, DEATHS);
    buffer_printf(out,
                  "\"seeds\":%" PRIu64 ",\"sandbox_seeds\":%" PRIu64 ",\"orders\":%" PRIu64 ",\"lines\":%" PRIu64
                  ",\"requests\":%" PRIu64 ",\"replies\":%" PRIu64 ",\"turns\":%" PRIu64 ",\"messages\":%" PRIu64
                  ",\"commits\":%" PRIu64 ",\"crashes\":%" PRIu64 ",\"reasks\":%" PRIu64 ",\"audits\":%" PRIu64
                  ",\"virtual_seconds\":%" PRIu64 ",\"seconds\":%.3f}",
                  it->seeds, it->sandbox_seeds, it->orders, it->lines, it->requests, it->replies, it->turns, it->messages,
                  it->commits, it->crashes, it->reasks, it->audits, it->virtual_seconds, seconds);
}
