#include "core/kv_cache/layer_stage.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <thread>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr std::size_t kRecord = 4096;  // what O_DIRECT takes
constexpr int kBlocks = 5;
constexpr int kLayers = 3;

/// Blocks of two parts, 1,000 and 96 bytes.
StageOptions options_of(double patience_s = 30.0) {
  StageOptions options{
      .layers = {}, .slot_bytes = 1096.0 * kBlocks, .bounce_alignment = 4096, .patience = {patience_s}};
  for (int i = 0; i < kLayers; ++i)
    options.layers.push_back({.parts = {StagePart{0, 1000}, StagePart{1000 * kBlocks, 96}},
                              .tier_offset = static_cast<std::int64_t>(i) * kBlocks * static_cast<int>(kRecord),
                              .record_bytes = kRecord});
  return options;
}

constexpr double kTierBytes = 1.0 * kLayers * kBlocks * kRecord;

std::filesystem::path scratch() {
  return std::filesystem::temp_directory_path();
}

std::byte mark(int layer, int block, int part) {
  return static_cast<std::byte>(1 + layer * 40 + block * 4 + part);
}

std::span<std::byte> part_of(LayerStage& stage, int layer, int block, int part) {
  const std::size_t offset = part == 0 ? 0 : 1000 * kBlocks, size = part == 0 ? 1000 : 96;
  return stage.slot(layer).subspan(offset + static_cast<std::size_t>(block) * size, size);
}

StageLists lists_of(std::vector<int> load, std::vector<int> store) {
  StageLists lists;
  for (const int block : load) lists.load.push_back({block, block});
  for (const int block : store) lists.store.push_back({block, block});
  return lists;
}

void write_step(LayerStage& stage, const std::vector<int>& blocks) {
  stage.begin_step(lists_of({}, blocks));
  for (int layer = 0; layer < kLayers; ++layer) {
    stage.enter(layer);
    for (const int block : blocks)
      for (int part = 0; part < 2; ++part)
        std::ranges::fill(part_of(stage, layer, block, part), mark(layer, block, part));
    stage.leave(layer);
  }
}

void expect_step(LayerStage& stage, const std::vector<int>& blocks) {
  stage.begin_step(lists_of(blocks, {}));
  for (int layer = 0; layer < kLayers; ++layer) {
    stage.enter(layer);
    for (const int block : blocks)
      for (int part = 0; part < 2; ++part)
        for (const std::byte byte : part_of(stage, layer, block, part)) ASSERT_EQ(byte, mark(layer, block, part));
    stage.leave(layer);
  }
}

std::unique_ptr<TierMemory> file_tier(const FileCalls& calls = FileCalls::of_system()) {
  return make_file_tier(scratch(), kTierBytes, calls);
}

TEST(LayerStage, BringsBackWhatLayersWrote) {
  for (const bool file : {false, true}) {
    LayerStage stage(file ? file_tier() : make_host_tier(kTierBytes), options_of());
    write_step(stage, {0, 1, 2, 3, 4});
    write_step(stage, {4});
    expect_step(stage, {0, 2, 4});
    const KvTraffic traffic = stage.traffic();
    EXPECT_EQ(traffic.n_writes, kLayers * 6);
    EXPECT_EQ(traffic.n_reads, kLayers * 3);
    EXPECT_DOUBLE_EQ(traffic.written_bytes, kLayers * 6.0 * kRecord);
    EXPECT_DOUBLE_EQ(traffic.read_bytes, kLayers * 3.0 * kRecord);
    EXPECT_GT(traffic.read_s + traffic.write_s, 0.0);
  }
}

TEST(LayerStage, CopiesARecordInEveryLayer) {
  LayerStage stage(file_tier(), options_of());
  write_step(stage, {1});
  stage.copy(1, 3);
  stage.begin_step(lists_of({3}, {}));
  for (int layer = 0; layer < kLayers; ++layer) {
    stage.enter(layer);
    EXPECT_EQ(part_of(stage, layer, 3, 1)[0], mark(layer, 1, 1));
    stage.leave(layer);
  }
}

TEST(LayerStage, StatesItsMemory) {
  // Two slots of 5,480 bytes in lines of 64: 5,504 each. A record and the room to align it: 8,192.
  EXPECT_DOUBLE_EQ(LayerStage::memory_bytes(1096.0 * kBlocks, kRecord, 4096), 2 * 5504.0 + 8192.0);
  EXPECT_DOUBLE_EQ(LayerStage(file_tier(), options_of()).bytes(), 2 * 5504.0 + 8192.0);
  // The host tier's own memory: 3 · 5 · 4,096.
  EXPECT_DOUBLE_EQ(LayerStage(make_host_tier(kTierBytes), options_of()).bytes(), 2 * 5504.0 + 8192.0 + kTierBytes);
}

// -------- what goes wrong

/// The error of a function, which must throw one.
template <class Function>
Error error_of(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorKind::kFailure, "", ""};
}

void expect_complete(const Error& error, ErrorKind kind) {
  EXPECT_EQ(error.kind(), kind) << error.reason();
  EXPECT_FALSE(error.subject().empty());
  EXPECT_FALSE(error.reason().empty());
  EXPECT_FALSE(error.way_out().empty());
}

TEST(FileTier, SaysAtOnceThatAFileFindsNoRoom) {
  FileCalls calls = FileCalls::of_system();
  calls.reserve = [](int, off_t) { return ENOSPC; };
  expect_complete(error_of([&] { file_tier(calls); }), ErrorKind::kDoesNotFit);
  calls.reserve = [](int, off_t) { return EIO; };
  expect_complete(error_of([&] { file_tier(calls); }), ErrorKind::kFailure);
}

TEST(FileTier, MindsTheLimitOnFiles) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 16384;  // below 3 · 5 · 4,096
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Error error = error_of([] { file_tier(); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  expect_complete(error, ErrorKind::kDoesNotFit);
  EXPECT_NE(error.reason().find("ulimit"), std::string::npos);
}

TEST(FileTier, RefusesAFolderThatCannotBe) {
  expect_complete(error_of([] { make_file_tier("/proc/no-such-folder", kTierBytes); }), ErrorKind::kFailure);
}

TEST(FileTier, LeavesNothingBehind) {
  const auto folder = scratch() / ("dachlast-tier-test-" + std::to_string(::getpid()));
  {
    LayerStage stage(make_file_tier(folder, kTierBytes), options_of());
    write_step(stage, {0});
    EXPECT_TRUE(std::filesystem::is_empty(folder));
  }
  std::filesystem::remove(folder);
}

TEST(FileTier, GoesOnAfterPartsAndInterruptions) {
  FileCalls calls = FileCalls::of_system();
  const FileCalls system = calls;
  std::atomic<int> n = 0;
  // Through the page cache any size goes; O_DIRECT takes 4,096, the whole record: only interruptions are left to it.
  calls.write = [&](int fd, const void* from, std::size_t size, off_t at) {
    if (n++ % 2 == 0) {
      errno = EINTR;
      return ssize_t{-1};
    }
    return system.write(fd, from, size, at);
  };
  LayerStage stage(file_tier(calls), options_of());
  write_step(stage, {0, 1});
  expect_step(stage, {0, 1});
  EXPECT_EQ(n, 2 * 2 * kLayers);
}

TEST(LayerStage, AFullTierReachesWhoeverWaits) {
  FileCalls calls = FileCalls::of_system();
  calls.write = [](int, const void*, std::size_t, off_t) {
    errno = ENOSPC;
    return ssize_t{-1};
  };
  LayerStage stage(file_tier(calls), options_of());
  expect_complete(error_of([&] {
                    write_step(stage, {0});
                    stage.traffic();
                  }),
                  ErrorKind::kDoesNotFit);
  // It does not come back to life.
  expect_complete(error_of([&] { write_step(stage, {0}); }), ErrorKind::kDoesNotFit);
}

TEST(LayerStage, AnEndTooEarlyIsAnError) {
  FileCalls calls = FileCalls::of_system();
  calls.read = [](int, void*, std::size_t, off_t) { return ssize_t{0}; };
  LayerStage stage(file_tier(calls), options_of());
  expect_complete(error_of([&] { expect_step(stage, {0}); }), ErrorKind::kFailure);
}

/// A device that answers when it is told to.
class Gate {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

TEST(LayerStage, ADeviceThatNeverAnswersHoldsNobodyUp) {
  const auto gate = std::make_shared<Gate>();  // the stuck thread outlives the stage
  FileCalls calls = FileCalls::of_system();
  const FileCalls system = calls;
  calls.read = [gate, system](int fd, void* to, std::size_t size, off_t at) {
    gate->pass();
    return system.read(fd, to, size, at);
  };
  {
    LayerStage stage(file_tier(calls), options_of(0.05));
    expect_complete(error_of([&] { expect_step(stage, {0}); }), ErrorKind::kFailure);
  }  // and its end neither
  gate->open();
}

TEST(LayerStage, ASlowDeviceIsWaitedForWhileItGetsOn) {
  FileCalls calls = FileCalls::of_system();
  const FileCalls system = calls;
  calls.read = [system](int fd, void* to, std::size_t size, off_t at) {
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    return system.read(fd, to, size, at);
  };
  // Five chunks of 40 ms each take longer than the 150 ms of patience, none of them alone does.
  LayerStage stage(file_tier(calls), options_of(0.15));
  write_step(stage, {0, 1, 2, 3, 4});
  expect_step(stage, {0, 1, 2, 3, 4});
  EXPECT_GT(stage.traffic().waited_s, 0.0);
}

}  // namespace
}  // namespace dachlast
