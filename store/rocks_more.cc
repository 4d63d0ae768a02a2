// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_more.h"

#include <rocksdb/env.h>
#include <rocksdb/rate_limiter.h>

#include <chrono>
#include <memory>
#include <thread>

// The C interface takes a logger and a rate limiter and cannot make ours. These are its types, as RocksDB's own c.cc
// has them.
struct rocksdb_logger_t {
    std::shared_ptr<rocksdb::Logger> rep;
};
struct rocksdb_ratelimiter_t {
    std::shared_ptr<rocksdb::RateLimiter> rep;
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

// RocksDB asks before each piece that a flush or compaction writes. Who has worked for WORK since its last rest rests
// for REST: so what it does takes at most some REST / WORK longer, however much that is.
//
// RocksDB's own limiter is one of bytes each second, and can wait for ever when flush and compaction meet in it
// (facebook/rocksdb issue 11742).
class Rests : public rocksdb::RateLimiter
{
  public:
    using rocksdb::RateLimiter::Request;
    void Request(const int64_t, const rocksdb::Env::IOPriority, rocksdb::Statistics *) override
    {
        static thread_local steady_clock::time_point began;
        if (std::this_thread::get_id() == opener_ || steady_clock::now() - began < WORK)
            return;
        std::this_thread::sleep_for(REST);
        began = steady_clock::now();
    }

    int64_t GetSingleBurstBytes() const override { return PIECE; }
    // Of what writers are slowed to when they have to be; as it is without a limiter.
    int64_t GetBytesPerSecond() const override { return 16 << 20; }
    void SetBytesPerSecond(int64_t) override {}
    // Not counted: nobody asks.
    int64_t GetTotalBytesThrough(const rocksdb::Env::IOPriority) const override { return 0; }
    int64_t GetTotalRequests(const rocksdb::Env::IOPriority) const override { return 0; }

  private:
    using steady_clock = std::chrono::steady_clock;
    static constexpr std::chrono::microseconds WORK{250}, REST{100};
    static constexpr int64_t PIECE = 8 * 1024;
    const std::thread::id opener_ = std::this_thread::get_id();
};

} // namespace

void rocks_no_notes(rocksdb_options_t *options)
{
    rocksdb_logger_t logger{std::make_shared<Nobody>()};
    rocksdb_options_set_info_log(options, &logger);
}

void rocks_background_rests(rocksdb_options_t *options)
{
    rocksdb_ratelimiter_t limiter{std::make_shared<Rests>()};
    rocksdb_options_set_ratelimiter(options, &limiter);
}

void rocks_compaction_idles(void)
{
    rocksdb::Env::Default()->LowerThreadPoolCPUPriority(rocksdb::Env::Priority::LOW, rocksdb::CpuPriority::kIdle);
}
