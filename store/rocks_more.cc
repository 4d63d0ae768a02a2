// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_more.h"

#include <rocksdb/env.h>
#include <rocksdb/rate_limiter.h>

#include <algorithm>
#include <atomic>
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

// Of the writes of one thread each takes as long as it does at `rate`.
class Lane
{
  public:
    explicit Lane(int64_t rate) : rate_(rate) {}

    void pass(int64_t bytes)
    {
        using namespace std::chrono;
        int64_t now = nanoseconds(steady_clock::now().time_since_epoch()).count(), from = std::max(now, free_.load());
        free_ = from + bytes * 1000000000 / rate_;
        std::this_thread::sleep_for(nanoseconds(from - now));
    }

  private:
    const int64_t rate_;
    std::atomic<int64_t> free_{0}; // when the next may begin
};

// RocksDB's own limiter can wait for ever when flush and compaction meet in it (facebook/rocksdb issue 11742).
class Pace : public rocksdb::RateLimiter
{
  public:
    Pace(int64_t flush, int64_t compaction, int64_t piece)
        : flush_(flush), compaction_(compaction), rate_(flush + compaction), piece_(piece)
    {
    }

    using rocksdb::RateLimiter::Request;
    // IO_USER: writers are being slowed for want of this write.
    void Request(const int64_t bytes, const rocksdb::Env::IOPriority priority, rocksdb::Statistics *) override
    {
        if (priority == rocksdb::Env::IO_USER || std::this_thread::get_id() == opener_)
            return;
        (priority == rocksdb::Env::IO_LOW ? compaction_ : flush_).pass(bytes);
    }

    int64_t GetSingleBurstBytes() const override { return piece_; }
    int64_t GetBytesPerSecond() const override { return rate_; }
    void SetBytesPerSecond(int64_t) override {}
    // Not counted: nobody asks.
    int64_t GetTotalBytesThrough(const rocksdb::Env::IOPriority) const override { return 0; }
    int64_t GetTotalRequests(const rocksdb::Env::IOPriority) const override { return 0; }

  private:
    Lane flush_, compaction_;
    const int64_t rate_, piece_;
    const std::thread::id opener_ = std::this_thread::get_id();
};

} // namespace

void rocks_no_notes(rocksdb_options_t *options)
{
    rocksdb_logger_t logger{std::make_shared<Nobody>()};
    rocksdb_options_set_info_log(options, &logger);
}

void rocks_paced(rocksdb_options_t *options, int64_t flush, int64_t compaction, int64_t piece)
{
    rocksdb_ratelimiter_t limiter{std::make_shared<Pace>(flush, compaction, piece)};
    rocksdb_options_set_ratelimiter(options, &limiter);
}

void rocks_compaction_idles(void)
{
    rocksdb::Env::Default()->LowerThreadPoolCPUPriority(rocksdb::Env::Priority::LOW, rocksdb::CpuPriority::kIdle);
}
