// SPDX-License-Identifier: Apache-2.0
// The sandbox provider on a table: one thing for a key, its own book, and each method's way to answer.
#include "tests/unit/actors/kinds/table.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000)

struct step {
    const char *operation, *key;
    int64_t amount;
    const char *effects;
};

static enum status operate_as(struct table *table, const char *method, const char *operation, const char *key,
                              int64_t amount, bool query)
{
    table_as(table, KIND_PAYMENT, "O1");
    return table_run(table, MESSAGE_sandbox_operate,
                     &(struct provider_operation){.operation = bytes_text(operation),
                                                  .provider_key = bytes_text(key),
                                                  .attempt = 1,
                                                  .amount = {amount, "GBP"},
                                                  .method = bytes_text(method),
                                                  .query = query});
}

static void run(const char *method, const struct step *steps)
{
    struct table table;
    table_init(&table, &kind_sandbox, "O1");
    for (const struct step *step = steps; step->operation; step++) {
        cr_expect_eq(operate_as(&table, method, step->operation, step->key, step->amount, false), STATUS_ok);
        cr_expect_str_eq(table_effects(&table), step->effects, "%s %s: %s", method, step->key, table_effects(&table));
        table.at += SECOND;
    }
    table_deinit(&table);
}

#define PUT "put head"
#define OUTCOME(operation, outcome)                                                                                    \
    "; send payment.outcome O1 {operation: " operation ", attempt: 1, outcome: " outcome "}"

// FAILURES 12: two charges per order. A key does one thing, however often it comes.
Test(sandbox, does_one_thing_for_a_key)
{
    struct table table;
    struct ledger book;
    run("pm_card_visa", (struct step[]){
                            {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                            {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                            {"capture", "c", 1000, PUT OUTCOME("capture", "succeeded")},
                            {"capture", "c", 1000, PUT OUTCOME("capture", "succeeded")},
                            {"refund", "r", 1000, PUT OUTCOME("refund", "succeeded")},
                            {"refund", "r", 1000, PUT OUTCOME("refund", "succeeded")},
                            {0},
                        });
    table_init(&table, &kind_sandbox, "O1");
    operate_as(&table, "pm_card_visa", "authorize", "a", 1000, false);
    operate_as(&table, "pm_card_visa", "authorize", "a", 1000, false);
    cr_assert(table_read(&table, PLACE_HEAD, "", ledger_shape(), &book));
    cr_expect_eq(book.entries[0].seen, 2);
    cr_expect_eq(book.entries_count, 1);
    table_deinit(&table);
}

// FAILURES 15: two refunds on one charge. FAILURES 11: captured twice.
Test(sandbox, refuses_what_makes_no_sense_by_its_own_book)
{
    run("pm_card_visa", (struct step[]){
                            {"capture", "c0", 1000, PUT OUTCOME("capture", "declined")},
                            {"void", "v0", 1000, PUT OUTCOME("void", "declined")},
                            {"refund", "r0", 1000, PUT OUTCOME("refund", "declined")},
                            {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                            {"authorize", "a2", 1000, PUT OUTCOME("authorize", "declined")},
                            {"capture", "c1", 1001, PUT OUTCOME("capture", "declined")},
                            {"capture", "c2", 1000, PUT OUTCOME("capture", "succeeded")},
                            {"capture", "c3", 1000, PUT OUTCOME("capture", "declined")},
                            {"void", "v1", 1000, PUT OUTCOME("void", "declined")},
                            {"refund", "r1", 600, PUT OUTCOME("refund", "succeeded")},
                            {"refund", "r2", 600, PUT OUTCOME("refund", "declined")},
                            {"refund", "r3", 400, PUT OUTCOME("refund", "succeeded")},
                            {0},
                        });
    run("pm_card_visa", (struct step[]){
                            {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                            {"void", "v", 1000, PUT OUTCOME("void", "succeeded")},
                            {"capture", "c", 1000, PUT OUTCOME("capture", "declined")},
                            {0},
                        });
}

Test(sandbox, each_method_answers_in_its_own_way)
{
    run("pm_card_chargeDeclined", (struct step[]){
                                      {"authorize", "a", 1000, PUT OUTCOME("authorize", "declined")},
                                      {"authorize", "a", 1000, PUT OUTCOME("authorize", "declined")},
                                      {0},
                                  });
    run("pm_sandbox_timeout_then_success", (struct step[]){
                                               {"authorize", "a", 1000, PUT},
                                               {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                                               {"capture", "c", 1000, PUT},
                                               {"capture", "c", 1000, PUT OUTCOME("capture", "succeeded")},
                                               {0},
                                           });
    run("pm_sandbox_twice",
        (struct step[]){
            {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded") OUTCOME("authorize", "succeeded")},
            {"capture", "c", 1000, PUT OUTCOME("capture", "succeeded") OUTCOME("capture", "succeeded")},
            {0},
        });
    run("pm_sandbox_flaky", (struct step[]){
                                {"authorize", "a", 1000, PUT OUTCOME("authorize", "failed")},
                                {"capture", "c", 1000, PUT OUTCOME("capture", "failed")},
                                {"authorize", "a", 1000, PUT OUTCOME("authorize", "failed")},
                                {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                                {"authorize", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                                {0},
                            });
    run("pm_sandbox_action_required", (struct step[]){
                                          {"authorize", "a", 1000, PUT OUTCOME("authorize", "action_required")},
                                          {"authorize", "a", 1000, PUT OUTCOME("authorize", "action_required")},
                                          {"capture", "c", 1000, PUT OUTCOME("capture", "declined")},
                                          {"confirm_succeeded", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                                          {"confirm_failed", "a", 1000, PUT OUTCOME("authorize", "succeeded")},
                                          {"capture", "c2", 1000, PUT OUTCOME("capture", "succeeded")},
                                          {0},
                                      });
    run("pm_sandbox_action_required", (struct step[]){
                                          {"authorize", "a", 1000, PUT OUTCOME("authorize", "action_required")},
                                          {"confirm_failed", "a", 1000, PUT OUTCOME("authorize", "declined")},
                                          {0},
                                      });
    run("pm_sandbox_action_required", (struct step[]){
                                          {"authorize", "a", 1000, PUT OUTCOME("authorize", "action_required")},
                                          {"void", "v", 1000, PUT OUTCOME("void", "succeeded")},
                                          {"confirm_succeeded", "a", 1000, PUT OUTCOME("authorize", "declined")},
                                          {0},
                                      });
}

Test(sandbox, a_late_answer_comes_after_two_seconds_and_once)
{
    struct table table;
    table_init(&table, &kind_sandbox, "O1");
    operate_as(&table, "pm_sandbox_late", "authorize", "a", 1000, false);
    cr_expect_str_eq(table_effects(&table), PUT "; wake 1700000002000000");
    table.at += SECOND;
    operate_as(&table, "pm_sandbox_late", "authorize", "a", 1000, false);
    cr_expect_str_eq(table_effects(&table), PUT "; wake 1700000002000000");
    table_as_runtime(&table);
    table_run(&table, MESSAGE_sandbox_wake, NULL);
    cr_expect_str_eq(table_effects(&table), "wake 1700000002000000");
    table.at += SECOND;
    table_run(&table, MESSAGE_sandbox_wake, NULL);
    cr_expect_str_eq(table_effects(&table), "send payment.outcome O1 {operation: authorize, attempt: 1, outcome: succeeded}; " PUT "; wake 0");
    table_run(&table, MESSAGE_sandbox_wake, NULL);
    cr_expect_str_eq(table_effects(&table), "wake 0");
    table_deinit(&table);
}

Test(sandbox, of_two_late_answers_the_earlier_one_is_waited_for)
{
    struct table table;
    table_init(&table, &kind_sandbox, "O1");
    operate_as(&table, "pm_sandbox_late", "authorize", "a", 1000, false);
    table.at += SECOND;
    operate_as(&table, "pm_sandbox_late", "void", "v", 1000, false);
    cr_expect_str_eq(table_effects(&table), PUT "; wake 1700000002000000");
    table_deinit(&table);
}

// The timer was lost with the process: the key that comes again is answered.
Test(sandbox, a_late_answer_survives_a_restart)
{
    struct table table;
    table_init(&table, &kind_sandbox, "O1");
    operate_as(&table, "pm_sandbox_late", "authorize", "a", 1000, false);
    table.at += 5 * SECOND;
    operate_as(&table, "pm_sandbox_late", "authorize", "a", 1000, false);
    cr_expect_str_eq(table_effects(&table), PUT OUTCOME("authorize", "succeeded"));
    table_deinit(&table);
}

Test(sandbox, a_query_does_nothing_and_says_what_became_of_the_key)
{
    struct table table;
    table_init(&table, &kind_sandbox, "O1");
    operate_as(&table, "pm_card_visa", "capture", "c", 1000, true);
    cr_expect_str_eq(table_effects(&table),
                     "send payment.outcome O1 {operation: capture, attempt: 1, outcome: unknown}");
    operate_as(&table, "pm_card_visa", "confirm_succeeded", "a", 1000, false);
    cr_expect_str_eq(table_effects(&table),
                     "send payment.outcome O1 {operation: authorize, attempt: 1, outcome: unknown}");
    operate_as(&table, "pm_card_visa", "authorize", "a", 1000, false);
    operate_as(&table, "pm_card_visa", "authorize", "a", 1000, true);
    cr_expect_str_eq(table_effects(&table),
                     "send payment.outcome O1 {operation: authorize, attempt: 1, outcome: succeeded}");
    operate_as(&table, "pm_sandbox_flaky", "capture", "f", 1000, false);
    operate_as(&table, "pm_sandbox_flaky", "capture", "f", 1000, true);
    cr_expect_str_eq(table_effects(&table),
                     "send payment.outcome O1 {operation: capture, attempt: 1, outcome: unknown}");
    table_deinit(&table);
}

Test(sandbox, a_full_book_asks_to_try_again_and_books_nothing)
{
    struct table table;
    table_init(&table, &kind_sandbox, "O1");
    char key[] = "key-00";
    for (int i = 0; i < SANDBOX_OPERATIONS_MAX; i++) {
        key[4] = (char)('0' + i / 10);
        key[5] = (char)('0' + i % 10);
        operate_as(&table, "pm_card_visa", "capture", key, 1000, false);
    }
    operate_as(&table, "pm_card_visa", "capture", "one more", 1000, false);
    cr_expect_str_eq(table_effects(&table),
                     "send payment.outcome O1 {operation: capture, attempt: 1, outcome: failed}");
    struct ledger book;
    cr_assert(table_read(&table, PLACE_HEAD, "", ledger_shape(), &book));
    cr_expect_eq(book.entries_count, SANDBOX_OPERATIONS_MAX);
    table_deinit(&table);
}
