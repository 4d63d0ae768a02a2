// SPDX-License-Identifier: Apache-2.0
// The lines that `souk send` reads. The first byte chooses a prefix or none. What is taken is a request that the broker
// takes, of a type it knows, with its names prefixed.
#include "fuzz.h"

#include "cli/ndjson.h"
#include "cli/send_line.h"
#include "codec/json.h"

#include <sys/mman.h>
#include <unistd.h>

static struct arena arena;

static bool begins_with(struct bytes text, struct bytes prefix)
{
    return text.size >= prefix.size && bytes_equal(bytes_of(text.at, prefix.size), prefix);
}

static void check_taken(const struct send_line *taken, struct bytes prefix, struct bytes encoded)
{
    struct cursor cursor = cursor_over(encoded);
    struct request request;
    struct envelope_refusal refusal;
    CHECK(encoded.size <= SEND_LINE_MAX, "%zu bytes", encoded.size);
    CHECK(request_read(&cursor, &request, &refusal) && !cursor_left(&cursor), "taken though no request");
    CHECK(taken->def && bytes_equal(bytes_text(taken->def->name), request.type), "%.*s", BYTES_FORMAT(request.type));
    CHECK(bytes_equal(taken->request.id, request.id) && bytes_equal(taken->request.key, request.key), "id, key");
    CHECK(begins_with(request.id, prefix), "%.*s", BYTES_FORMAT(request.id));
    CHECK(taken->def->kind == KIND_COUNT || begins_with(request.key, prefix), "%.*s", BYTES_FORMAT(request.key));
    CHECK(!(prefix.size && request.retry_until), "retry_until is the original's");
    CHECK(taken->wait_ms >= 0 && taken->wait_ms <= WAIT_MS_MAX, "%lld", (long long)taken->wait_ms);
}

static void take_line(struct bytes line, struct bytes prefix)
{
    struct buffer encoded = {0};
    struct send_line taken;
    const char *why = NULL;
    if (send_line_read(line, prefix, &arena, &encoded, &taken, &why))
        check_taken(&taken, prefix, buffer_bytes(&encoded));
    else
        CHECK(why && why[0], "%.*s", BYTES_FORMAT(line));
    buffer_deinit(&encoded);
    arena_reset(&arena);
}

void fuzz_one(struct bytes input)
{
    struct bytes prefix = fuzz_choice(&input) % 2 ? BYTES("p-") : BYTES(""), line;
    struct ndjson lines = {.fd = memfd_create("lines", MFD_CLOEXEC)};
    size_t size = 0;
    enum ndjson_next next;
    CHECK(write(lines.fd, input.at, input.size) == (ssize_t)input.size && lseek(lines.fd, 0, SEEK_SET) == 0, "memfd");
    while ((next = ndjson_next(&lines, &line)) == NDJSON_LINE) {
        CHECK(!memchr(line.at, '\n', line.size), "a line with an end in it");
        size += line.size;
        take_line(line, prefix);
    }
    CHECK(next == NDJSON_END && size <= input.size, "%d", (int)next);
    ndjson_close(&lines);
}

void fuzz_seeds(void)
{
    struct buffer body = {0}, line = {0};
    const struct message_def *def;
    for (uint32_t i = 0; (def = message_at(i)); i++) {
        struct sample sample = {.seed = i, .arena = &arena, .level = (int)(i % 3)};
        buffer_clear(&body);
        buffer_clear(&line);
        body_encode(def->body(), sample_of(&sample, def->body(), 1), &body);
        buffer_printf(&line, "{\"id\":\"request-%u\",\"type\":\"%s\",\"key\":\"key\",\"body\":", i, def->name);
        json_write(buffer_bytes(&body), &line);
        buffer_printf(&line, "%s}\n", i % 2 ? ",\"meta\":{\"retry_until\":5,\"traceparent\":\"t\"}" : "");
        fuzz_seed_chosen(i % 2, buffer_bytes(&line));
        arena_reset(&arena);
    }
    fuzz_seed_chosen(0, BYTES("\n \r\n{}\n[]\n\"\\ud83d\\uded2\""));
    buffer_deinit(&body);
    buffer_deinit(&line);
}
