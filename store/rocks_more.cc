// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_more.h"

#include <rocksdb/env.h>

#include <memory>

// The C interface takes a logger and cannot make one. This is its type, as RocksDB's own c.cc has it.
struct rocksdb_logger_t {
    std::shared_ptr<rocksdb::Logger> rep;
};

namespace
{

class Nobody : public rocksdb::Logger
{
  public:
    Nobody() : rocksdb::Logger(rocksdb::InfoLogLevel::FATAL_LEVEL) {}
    using rocksdb::Logger::Logv;
    void Logv(rocksdb::InfoLogLevel, const char *, va_list) override {}
    void LogHeader(const char *, va_list) override {}
};

} // namespace

void rocks_no_notes(rocksdb_options_t *options)
{
    rocksdb_logger_t logger{std::make_shared<Nobody>()};
    rocksdb_options_set_info_log(options, &logger);
}

void rocks_compaction_idles(void)
{
    rocksdb::Env::Default()->LowerThreadPoolCPUPriority(rocksdb::Env::Priority::LOW, rocksdb::CpuPriority::kIdle);
}
