// SPDX-License-Identifier: Apache-2.0
#include "store/tuning.h"

#include "store/backend.h"

enum {
    MIB = 1024 * 1024,
    MEMORY_DEFAULT = 32 * MIB,
    BUFFERS_MIN = 4 * MIB, // with less, small tables are made all the time
    CACHE_MIN = 2 * MIB,
    FILES_MIN = 20,
    FILES_MAX = 128
};

static uint64_t clamp(uint64_t value, uint64_t low, uint64_t high)
{
    return value < low ? low : value > high ? high : value;
}

struct tuning_share tuning_share(uint64_t memory)
{
    if (!memory)
        memory = MEMORY_DEFAULT;
    uint64_t buffers = clamp(memory / 2, BUFFERS_MIN, UINT64_MAX);
    return (struct tuning_share){
        .buffers = buffers,
        .buffer = clamp(memory / 8, BUFFERS_MIN / 4, 64 * MIB),
        .log_buffer = clamp(memory / 4, BUFFERS_MIN / 2, 64 * MIB),
        .cache = clamp(memory > buffers ? memory - buffers : 0, CACHE_MIN, UINT64_MAX),
        .wal = clamp(memory / 6, 4 * MIB, 32 * MIB),
        .files = FILES_MAX,
    };
}

uint32_t tuning_files(uint32_t share)
{
    return share ? (uint32_t)clamp(share, FILES_MIN, FILES_MAX) : FILES_MAX;
}

bool tuning_asked_by_key(enum family family)
{
    return family == FAMILY_HEAD || family == FAMILY_OPEN || family == FAMILY_CHILD || family == FAMILY_REMEMBERED;
}

void tuning_write(struct buffer *out, enum family family, const struct tuning_share *share)
{
    // A finished write-ahead log goes to archive/ first: store/trim.h.
    buffer_printf(out,
                  "WAL_ttl_seconds=3600;wal_recovery_mode=kTolerateCorruptedTailRecords;paranoid_checks=true;"
                  "create_missing_column_families=true;allow_concurrent_memtable_write=false;max_background_jobs=2;"
                  "max_open_files=%u;max_file_opening_threads=1;max_manifest_file_size=16777216;"
                  "stats_dump_period_sec=0;stats_persist_period_sec=0;bytes_per_sync=1048576;"
                  "skip_stats_update_on_db_open=true;level_compaction_dynamic_level_bytes=true;"
                  "writable_file_max_buffer_size=8192;db_write_buffer_size=%llu;max_total_wal_size=%llu;",
                  share->files, (unsigned long long)share->buffers, (unsigned long long)share->wal);
    // Rows that arrive in order (the log; holds under time-ordered ids) make tables that never overlap and sink from
    // level to level by renaming. That needs the same compression on all levels.
    // Tables are small, since deleting a large one holds up syncs as well.
    // Compaction runs on idle cores only, so files may wait above it for a while: writers are not slowed for that.
    buffer_printf(out, "level0_file_num_compaction_trigger=8;level0_slowdown_writes_trigger=64;"
                       "level0_stop_writes_trigger=128;target_file_size_base=8388608;");
    bool log = family == FAMILY_LOG;
    buffer_printf(out, "write_buffer_size=%llu;max_write_buffer_number=%d;compression=kLZ4Compression;",
                  (unsigned long long)(log ? share->log_buffer : share->buffer), log ? 4 : 3);
    if (tuning_asked_by_key(family))
        buffer_printf(out, "memtable_prefix_bloom_size_ratio=0.1;memtable_whole_key_filtering=true;");
    // A table that no write touches is looked through once a day, so that what is forgotten also leaves the disk.
    if (store_forgets(family))
        buffer_printf(out, "periodic_compaction_seconds=86400;");
    buffer_append(out, "", 1);
}
