#include "core/kv_cache/layer_stage.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <utility>

#include "core/base/error.h"

namespace dachlast {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::size_t largest_record(const StageOptions& options) {
  std::size_t bytes = 0;
  for (const StageLayer& layer : options.layers) bytes = std::max(bytes, layer.record_bytes);
  return bytes;
}

std::size_t slot_stride(const StageOptions& options) {
  return static_cast<std::size_t>(AlignedBuffer::padded_bytes(options.slot_bytes));
}

std::span<std::byte> aligned(std::span<std::byte> memory, std::size_t alignment, std::size_t size) {
  void* start = memory.data();
  std::size_t room = memory.size();
  std::align(alignment, size, start, room);
  return {static_cast<std::byte*>(start), size};
}

enum class Move : std::uint8_t { kLoad, kStore, kCopy };

/// One thing the I/O thread does: for one layer, or a copy in all.
struct Task {
  Move move = Move::kLoad;
  int layer = -1;
  std::shared_ptr<const StageLists> lists;
  std::int64_t from_record = -1;
  std::int64_t to_record = -1;
};

}  // namespace

/// What the caller and the I/O thread share. Tasks are done in the order they came; a ticket is the number of tasks done when
/// a task is.
struct LayerStage::State {
  State(std::unique_ptr<TierMemory> behind, StageOptions stage_options)
      : tier(std::move(behind)),
        options(std::move(stage_options)),
        slots(static_cast<double>(kSlots) * static_cast<double>(slot_stride(options)),
              "KV cache of the layers in work"),
        bounce_memory(static_cast<double>(largest_record(options) + options.bounce_alignment), "KV chunk in transfer"),
        bounce(aligned(bounce_memory.as<std::byte>(), options.bounce_alignment, largest_record(options))) {}

  std::byte* slot(int layer) {
    return slots.as<std::byte>().data() + static_cast<std::size_t>(layer % kSlots) * slot_stride(options);
  }

  std::int64_t offset(const StageLayer& layer, std::int64_t record) const {
    return layer.tier_offset + record * static_cast<std::int64_t>(layer.record_bytes);
  }

  std::int64_t add(Task task);
  void await(std::int64_t ticket);
  std::int64_t await_all();
  void work();
  void run(const Task& task);
  void load(int index, const StageLists& moved);
  void store(int index, const StageLists& moved);
  void copy(const Task& task);
  void count_read(std::size_t bytes, Clock::time_point start);
  void count_write(std::size_t bytes, Clock::time_point start);
  bool exited_within_patience();

  std::unique_ptr<TierMemory> tier;
  const StageOptions options;
  AlignedBuffer slots;
  AlignedBuffer bounce_memory;
  std::span<std::byte> bounce;

  std::mutex mutex;  // guards all below but `n_moved` and `stopping`
  std::condition_variable task_came;
  std::condition_variable task_done;
  std::deque<Task> tasks;
  std::int64_t n_added = 0;
  std::int64_t n_done = 0;
  bool exited = false;
  std::exception_ptr failure;
  KvTraffic traffic;

  std::atomic<std::int64_t> n_moved{0};  // chunks: progress, as those who wait see it
  std::atomic<bool> stopping{false};

  // Of the caller alone.
  std::shared_ptr<const StageLists> lists;
  std::vector<std::int64_t> loaded_at;  // tickets, by layer
  double waited_s = 0.0;
};

std::int64_t LayerStage::State::add(Task task) {
  const std::scoped_lock lock(mutex);
  tasks.push_back(std::move(task));
  task_came.notify_one();
  return ++n_added;
}

void LayerStage::State::await(std::int64_t ticket) {
  std::unique_lock lock(mutex);
  const auto answered = [&] { return n_done >= ticket || failure; };
  std::int64_t seen = n_moved;
  while (!task_done.wait_for(lock, std::chrono::duration<double>(options.patience.value), answered)) {
    const std::int64_t now = n_moved;
    if (now == seen)
      throw Error(ErrorKind::kFailure, "KV tier",
                  fmt::format("Nothing has come from {} for {:.3g} s.", tier->description(), options.patience.value),
                  "Use a faster --scratch folder, or keep the cache in RAM (--kv offload:host).");
    seen = now;
  }
  if (failure) std::rethrow_exception(failure);
}

std::int64_t LayerStage::State::await_all() {
  std::unique_lock lock(mutex);
  const std::int64_t last = n_added;
  lock.unlock();
  await(last);
  return last;
}

void LayerStage::State::work() {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex);
      task_came.wait(lock, [&] { return stopping || !tasks.empty(); });
      if (stopping) break;
      task = std::move(tasks.front());
      tasks.pop_front();
    }
    std::exception_ptr failed;
    try {
      run(task);
    } catch (const std::exception&) {
      failed = std::current_exception();
    }
    const std::scoped_lock lock(mutex);
    ++n_done;
    if (failed) failure = failed;
    task_done.notify_all();
    if (failed) break;
  }
  const std::scoped_lock lock(mutex);
  exited = true;
  task_done.notify_all();
}

void LayerStage::State::run(const Task& task) {
  switch (task.move) {
    case Move::kLoad: return load(task.layer, *task.lists);
    case Move::kStore: return store(task.layer, *task.lists);
    case Move::kCopy: return copy(task);
  }
}

void LayerStage::State::count_read(std::size_t bytes, Clock::time_point start) {
  ++n_moved;
  const std::scoped_lock lock(mutex);
  ++traffic.n_reads;
  traffic.read_bytes += static_cast<double>(bytes);
  traffic.read_s += seconds_since(start);
}

void LayerStage::State::count_write(std::size_t bytes, Clock::time_point start) {
  ++n_moved;
  const std::scoped_lock lock(mutex);
  ++traffic.n_writes;
  traffic.written_bytes += static_cast<double>(bytes);
  traffic.write_s += seconds_since(start);
}

void LayerStage::State::load(int index, const StageLists& moved) {
  const StageLayer& layer = options.layers[static_cast<std::size_t>(index)];
  for (const StagedBlock& one : moved.load) {
    if (stopping) return;
    const auto start = Clock::now();
    const std::byte* from = tier->read(offset(layer, one.record), bounce.first(layer.record_bytes)).data();
    for (const StagePart& part : layer.parts) {
      std::memcpy(slot(index) + part.offset + static_cast<std::size_t>(one.block) * part.block_bytes, from,
                  part.block_bytes);
      from += part.block_bytes;
    }
    count_read(layer.record_bytes, start);
  }
}

void LayerStage::State::store(int index, const StageLists& moved) {
  const StageLayer& layer = options.layers[static_cast<std::size_t>(index)];
  for (const StagedBlock& one : moved.store) {
    if (stopping) return;
    const auto start = Clock::now();
    const std::span<std::byte> staged = tier->stage(offset(layer, one.record), bounce.first(layer.record_bytes));
    std::byte* to = staged.data();
    for (const StagePart& part : layer.parts) {
      std::memcpy(to, slot(index) + part.offset + static_cast<std::size_t>(one.block) * part.block_bytes,
                  part.block_bytes);
      to += part.block_bytes;
    }
    tier->write(offset(layer, one.record), staged);
    count_write(layer.record_bytes, start);
  }
}

void LayerStage::State::copy(const Task& task) {
  for (const StageLayer& layer : options.layers) {
    const std::span<std::byte> room = bounce.first(layer.record_bytes);
    const auto start = Clock::now();
    const std::span<const std::byte> from = tier->read(offset(layer, task.from_record), room);
    count_read(layer.record_bytes, start);
    const auto written = Clock::now();
    const std::span<std::byte> to = tier->stage(offset(layer, task.to_record), room);
    if (to.data() != from.data()) std::memcpy(to.data(), from.data(), from.size());
    tier->write(offset(layer, task.to_record), to);
    count_write(layer.record_bytes, written);
  }
}

bool LayerStage::State::exited_within_patience() {
  std::unique_lock lock(mutex);
  return task_done.wait_for(lock, std::chrono::duration<double>(options.patience.value), [&] { return exited; });
}

LayerStage::LayerStage(std::unique_ptr<TierMemory> tier, StageOptions options)
    : state_(std::make_shared<State>(std::move(tier), std::move(options))) {
  state_->loaded_at.resize(state_->options.layers.size());
  thread_ = std::jthread([state = state_] { state->work(); });
}

LayerStage::~LayerStage() {
  state_->stopping = true;
  {
    const std::scoped_lock lock(state_->mutex);
    state_->task_came.notify_one();
  }
  if (!state_->exited_within_patience()) thread_.detach();
}

double LayerStage::memory_bytes(double slot_bytes, double largest_record_bytes, double bounce_alignment) {
  return kSlots * AlignedBuffer::padded_bytes(slot_bytes) +
         AlignedBuffer::padded_bytes(largest_record_bytes + bounce_alignment);
}

double LayerStage::bytes() const {
  return static_cast<double>(state_->slots.size_bytes() + state_->bounce_memory.size_bytes()) +
         state_->tier->memory_bytes();
}

void LayerStage::begin_step(StageLists lists) {
  state_->lists = std::make_shared<const StageLists>(std::move(lists));
  for (int layer = 0; layer < std::min<int>(kSlots, static_cast<int>(state_->loaded_at.size())); ++layer)
    state_->loaded_at[static_cast<std::size_t>(layer)] =
        state_->add({.move = Move::kLoad, .layer = layer, .lists = state_->lists});
}

void LayerStage::enter(int layer) {
  const auto start = Clock::now();
  state_->await(state_->loaded_at[static_cast<std::size_t>(layer)]);
  state_->waited_s += seconds_since(start);
}

void LayerStage::leave(int layer) {
  state_->add({.move = Move::kStore, .layer = layer, .lists = state_->lists});
  const int next = layer + kSlots;
  if (next < static_cast<int>(state_->loaded_at.size()))
    state_->loaded_at[static_cast<std::size_t>(next)] =
        state_->add({.move = Move::kLoad, .layer = next, .lists = state_->lists});
}

std::span<std::byte> LayerStage::slot(int layer) {
  return {state_->slot(layer), slot_stride(state_->options)};
}

void LayerStage::copy(std::int64_t from_record, std::int64_t to_record) {
  state_->await(
      state_->add({.move = Move::kCopy, .layer = -1, .lists = {}, .from_record = from_record, .to_record = to_record}));
}

KvTraffic LayerStage::traffic() {
  state_->await_all();
  const std::scoped_lock lock(state_->mutex);
  KvTraffic sum = state_->traffic;
  sum.waited_s = state_->waited_s;
  return sum;
}

std::string LayerStage::tier_description() const {
  return state_->tier->description();
}

}  // namespace dachlast
