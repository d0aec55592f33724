#include "tests/emulation/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <deque>
#include <vector>

#include "tests/emulation/fiber.h"
#include "tests/emulation/memory.h"

namespace dachlast::emulation {
namespace {

constexpr int kWarpSize = 32;
constexpr int kMostThreads = 1024;
constexpr int kSide = 16;  // of a wmma tile

/// What a thread of a warp does together with others.
enum class WarpOp : std::uint8_t { kSync, kConverge, kShuffle, kBallot, kMatrix };

enum class State : std::uint8_t { kReady, kAtBarrier, kInWarp, kDone };

struct Thread {
  Fiber fiber;
  State state = State::kReady;
  std::uint32_t warp_epoch = 0;
  std::source_location where{};  // the barrier or warp operation it waits at
};

/// Lanes on their way to one warp operation. Results are kept twice, as the first lanes may be at the next operation
/// while the last ones still read; none is two ahead, since the next one needs all of them.
struct Meeting {
  std::uint32_t mask = 0;
  std::uint32_t arrived = 0;
  WarpOp op{};
  std::source_location where{};
  int turn = 0;
  std::array<std::array<std::uint64_t, kWarpSize>, 2> values{};
};

struct MatrixWork {
  std::array<MatrixShare, kWarpSize> shares{};
  std::array<float, kSide * kSide> product{};
  bool computed = false;
};

struct Warp {
  std::array<Meeting, kWarpSize> meetings;  // by lowest lane of the mask
  std::array<MatrixWork, 2> matrices;
  int matrix_turn[kWarpSize] = {};
};

struct Grid {
  std::vector<Thread> threads;  // as many as a block has; stacks are kept from launch to launch
  std::vector<Warp> warps;
  std::deque<int> ready;
  SharedMemory shared;
  Launch launch{};
  uint3 block{};
  int n_threads = 0;
  int current = -1;  // −1: host code runs
  int n_at_barrier = 0, n_done = 0;
  std::source_location barrier{};
  std::uint32_t epoch = 0;  // counts barriers of all blocks ever run
  void* host_stack = nullptr;
  Schedule schedule = Schedule::kForward;
  std::string fault;
  std::vector<std::string> barriers;  // met
  std::source_location last_barrier{};
  std::string left_out;
};

Grid& grid() {
  static Grid the_grid;
  return the_grid;
}

Thread& current_thread() {
  return grid().threads[static_cast<std::size_t>(grid().current)];
}

std::string place_of(const std::source_location& where) {
  const std::string_view file = where.file_name();
  return fmt::format("{}:{}", file.substr(file.rfind('/') + 1), where.line());
}

std::string name_of_thread(int thread) {
  const Grid& g = grid();
  return fmt::format("block ({}, {}, {}), thread {}", g.block.x, g.block.y, g.block.z, thread);
}

/// Leaves the running thread for the next ready one, or for the host where there is none.
void leave(void** stack_pointer) {
  Grid& g = grid();
  if (g.ready.empty()) {
    g.current = -1;
    return Fiber::switch_stacks(stack_pointer, g.host_stack);
  }
  if (g.schedule == Schedule::kForward) {
    g.current = g.ready.front();
    g.ready.pop_front();
  } else {
    g.current = g.ready.back();
    g.ready.pop_back();
  }
  void** next = current_thread().fiber.stack_pointer();
  if (next != stack_pointer) Fiber::switch_stacks(stack_pointer, *next);
}

/// Notes a barrier; false where it is to be left out.
bool meets_barrier(const std::source_location& where) {
  Grid& g = grid();
  const std::source_location& last = g.last_barrier;  // mostly the same: all threads meet one after the other
  if (last.line() == where.line() && last.file_name() == where.file_name() && g.left_out.empty()) return true;
  const std::string place = place_of(where);
  if (std::find(g.barriers.begin(), g.barriers.end(), place) == g.barriers.end()) g.barriers.push_back(place);
  g.last_barrier = where;
  return place != g.left_out;
}

void wait_here(State state, const std::source_location& where) {
  Thread& thread = current_thread();
  thread.state = state;
  thread.where = where;
  leave(thread.fiber.stack_pointer());
}

void wake(int thread) {
  grid().threads[static_cast<std::size_t>(thread)].state = State::kReady;
  grid().ready.push_back(thread);
}

void run_thread() {
  Grid& g = grid();
  g.launch.run(g.launch.parameters);
  current_thread().state = State::kDone;
  ++g.n_done;
  leave(current_thread().fiber.stack_pointer());
  std::abort();  // nobody continues a thread that is done
}

/// Why nothing goes on although threads are left: the first thread of each kind of state tells.
std::string deadlock() {
  const Grid& g = grid();
  std::string text = "divergent barrier: not all threads of the block reach the same one";
  for (int i = 0, told = 0; i < g.n_threads && told < 3; ++i) {
    const Thread& thread = g.threads[static_cast<std::size_t>(i)];
    const bool like_previous = i > 0 && g.threads[static_cast<std::size_t>(i - 1)].state == thread.state;
    if (like_previous) continue;
    ++told;
    text +=
        thread.state == State::kDone
            ? fmt::format("; {} has ended", name_of_thread(i))
            : fmt::format("; {} waits at {} of {}", name_of_thread(i),
                          thread.state == State::kAtBarrier ? "a barrier" : "a warp operation", place_of(thread.where));
  }
  return text;
}

void run_block() {
  Grid& g = grid();
  ++g.epoch;
  g.n_at_barrier = g.n_done = 0;
  g.warps.assign(static_cast<std::size_t>((g.n_threads + kWarpSize - 1) / kWarpSize), Warp{});
  g.shared.start_block(g.launch.shared_bytes);
  g.ready.clear();
  for (int i = 0; i < g.n_threads; ++i) {
    Thread& thread = g.threads[static_cast<std::size_t>(i)];
    thread.fiber.start(run_thread);
    thread.warp_epoch = 0;
    wake(i);
  }
  leave(&g.host_stack);
  if (g.fault.empty() && g.n_done < g.n_threads) g.fault = deadlock();
}

/// All lanes are here: multiplies their shares.
void compute(MatrixWork& work) {
  std::array<float, kSide * kSide> a{}, b{}, c{};
  for (int l = 0; l < kWarpSize; ++l)
    for (int i = 0; i < kFragmentElements; ++i) {
      const MatrixShare& share = work.shares[static_cast<std::size_t>(l)];
      a[static_cast<std::size_t>(matrix_element(0, l, i))] = share.a[i];
      b[static_cast<std::size_t>(matrix_element(1, l, i))] = share.b[i];
      c[static_cast<std::size_t>(matrix_element(2, l, i))] = share.c[i];
    }
  for (std::size_t i = 0; i < kSide; ++i)
    for (std::size_t k = 0; k < kSide; ++k)
      for (std::size_t j = 0; j < kSide; ++j) c[i * kSide + j] += a[i * kSide + k] * b[k * kSide + j];
  work.product = c;
  work.computed = true;
}

Warp& current_warp() {
  return grid().warps[static_cast<std::size_t>(grid().current / kWarpSize)];
}

/// Waits for the lanes of `mask`; returns what each of them has brought, by lane, valid until the second call after it.
const std::uint64_t* meet_warp(std::uint32_t mask, WarpOp op, std::uint64_t value, const std::source_location& where) {
  Grid& g = grid();
  const int me = lane(), first = g.current - me;
  if ((mask >> me & 1u) == 0) fail("a lane is not in the mask of its own warp operation, " + place_of(where));
  Meeting& meeting = current_warp().meetings[static_cast<std::size_t>(std::countr_zero(mask))];
  if (meeting.arrived == 0) meeting.mask = mask, meeting.op = op, meeting.where = where;
  if (meeting.mask != mask || meeting.op != op || meeting.where.line() != where.line())
    fail(fmt::format("divergent warp operation: lanes meet at {} and {}", place_of(meeting.where), place_of(where)));
  std::uint64_t* values = meeting.values[static_cast<std::size_t>(meeting.turn)].data();
  values[me] = value;
  meeting.arrived |= 1u << me;
  if (meeting.arrived != mask) {
    wait_here(State::kInWarp, where);
    return values;
  }
  meeting.arrived = 0;
  meeting.turn ^= 1;
  for (int i = 0; i < kWarpSize; ++i) {
    if ((mask >> i & 1u) == 0) continue;
    if (~mask == 0 && op == WarpOp::kSync)
      ++g.threads[static_cast<std::size_t>(first + i)].warp_epoch;  // fewer lanes order nothing here
    if (i != me) wake(first + i);
  }
  return values;
}

}  // namespace

bool acceptable(const Launch& launch) {
  const std::uint64_t n_threads = std::uint64_t{launch.block.x} * launch.block.y * launch.block.z;
  return n_threads > 0 && n_threads <= kMostThreads && launch.shared_bytes <= SharedMemory::kMostBytes &&
         launch.grid.x > 0 && launch.grid.y > 0 && launch.grid.z > 0 && launch.grid.y < 65536 && launch.grid.z < 65536;
}

void set_schedule(Schedule schedule) {
  grid().schedule = schedule;
}

const Launch& last_launch() {
  return grid().launch;
}

const std::string& fault() {
  return grid().fault;
}

cudaError_t run(const Launch& launch) {
  Grid& g = grid();
  g.fault.clear();
  if (!acceptable(launch)) {
    g.fault = "no GPU takes a launch of this size";
    return cudaErrorInvalidConfiguration;
  }
  g.launch = launch;
  g.n_threads = static_cast<int>(launch.block.x * launch.block.y * launch.block.z);
  if (g.threads.size() < static_cast<std::size_t>(g.n_threads)) g.threads.resize(static_cast<std::size_t>(g.n_threads));
  for (g.block.z = 0; g.block.z < launch.grid.z; ++g.block.z)
    for (g.block.y = 0; g.block.y < launch.grid.y; ++g.block.y)
      for (g.block.x = 0; g.block.x < launch.grid.x; ++g.block.x) {
        run_block();
        if (!g.fault.empty()) return cudaErrorLaunchFailure;
      }
  return cudaSuccess;
}

uint3 thread_index() {
  const dim3 size = grid().launch.block;
  const auto linear = static_cast<unsigned>(grid().current);
  return {linear % size.x, linear / size.x % size.y, linear / (size.x * size.y)};
}
uint3 block_index() {
  return grid().block;
}
dim3 block_size() {
  return grid().launch.block;
}
dim3 grid_size() {
  return grid().launch.grid;
}
int lane() {
  return grid().current % kWarpSize;
}

std::vector<std::string> barriers_met() {
  return grid().barriers;
}
void forget_barriers() {
  grid().barriers.clear();
  grid().last_barrier = {};
}
void leave_out_barrier(std::string place) {
  grid().left_out = std::move(place);
}

void sync_block(const std::source_location& where) {
  Grid& g = grid();
  if (!meets_barrier(where)) return;
  if (g.n_at_barrier == 0) g.barrier = where;
  if (g.barrier.line() != where.line() || std::string_view(g.barrier.file_name()) != where.file_name())
    fail(
        fmt::format("divergent barrier: threads of one block meet at {} and {}", place_of(g.barrier), place_of(where)));
  if (++g.n_at_barrier < g.n_threads) return wait_here(State::kAtBarrier, where);
  g.n_at_barrier = 0;
  ++g.epoch;
  for (int i = 0; i < g.n_threads; ++i)
    if (i != g.current) wake(i);
}

void converge_warp(const std::source_location& where) {
  meet_warp(~0u, WarpOp::kConverge, 0, where);
}
void sync_warp(std::uint32_t mask, const std::source_location& where) {
  if (!meets_barrier(where)) return;
  meet_warp(mask, WarpOp::kSync, 0, where);
}

std::uint64_t shuffle(std::uint32_t mask, std::uint64_t value, int source, const std::source_location& where) {
  const std::uint64_t* values = meet_warp(mask, WarpOp::kShuffle, value, where);
  if ((mask >> source & 1u) == 0) fail("a shuffle reads a lane that does not take part, " + place_of(where));
  return values[source];
}

std::uint32_t ballot(std::uint32_t mask, std::uint64_t value, const std::source_location& where) {
  const std::uint64_t* values = meet_warp(mask, WarpOp::kBallot, value, where);
  std::uint32_t set = 0;
  for (int i = 0; i < kWarpSize; ++i)
    if ((mask >> i & 1u) != 0 && values[i] != 0) set |= 1u << i;
  return set;
}

int matrix_element(int matrix, int of_lane, int place) {
  constexpr int kFactors[] = {89, 53, 101}, kShifts[] = {37, 11, 200};  // odd factors: no two places share an element
  return ((of_lane * kFragmentElements + place) * kFactors[matrix] + kShifts[matrix]) % (kSide * kSide);
}

void multiply(const MatrixShare& share, float* d, const std::source_location& where) {
  Warp& warp = current_warp();
  const int me = lane();
  MatrixWork& work = warp.matrices[static_cast<std::size_t>(warp.matrix_turn[me])];
  warp.matrix_turn[me] ^= 1;
  work.shares[static_cast<std::size_t>(me)] = share;
  work.computed = false;  // by the first lane, before any lane passes the meeting
  meet_warp(~0u, WarpOp::kMatrix, 0, where);
  if (!work.computed) compute(work);
  for (int i = 0; i < kFragmentElements; ++i) d[i] = work.product[static_cast<std::size_t>(matrix_element(2, me, i))];
}

std::byte* shared_memory(std::size_t bytes) {
  SharedMemory& shared = grid().shared;
  if (bytes > shared.size())
    fail(fmt::format("the kernel needs {} bytes of shared memory, the launch gives {}", bytes, shared.size()));
  return shared.data();
}

void fail(std::string what) {
  Grid& g = grid();
  g.fault = fmt::format("{}: {}", name_of_thread(g.current), what);
  void* abandoned = nullptr;
  g.current = -1;
  Fiber::switch_stacks(&abandoned, g.host_stack);
  std::abort();  // the host never comes back to a launch that failed
}

namespace {

bool is_parameter(const void* address) {
  const Launch& launch = grid().launch;
  return reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(launch.parameters) <
         launch.parameter_bytes;
}

void check_shared(const void* address, std::size_t bytes, Access access) {
  Grid& g = grid();
  const std::string wrong = g.shared.check(address, bytes, access, g.current, g.epoch, current_thread().warp_epoch);
  if (!wrong.empty())
    fail(fmt::format("a {} of {} bytes at {} of shared memory: {}", access == Access::kRead ? "read" : "write", bytes,
                     static_cast<const std::byte*>(address) - g.shared.data(), wrong));
}

/// Every load and store that the compiler has left in a kernel.
void on_access(const void* address, std::size_t bytes, Access access) {
  Grid& g = grid();
  if (g.current < 0 || current_thread().fiber.holds(address) || is_parameter(address)) return;
  const bool wide = bytes <= 16 && (bytes & (bytes - 1)) == 0;
  if (wide && reinterpret_cast<std::uintptr_t>(address) % bytes != 0)
    fail(fmt::format("misaligned {} of {} bytes", access == Access::kRead ? "read" : "write", bytes));
  if (g.shared.holds(address)) return check_shared(address, bytes, access);
  if (!touch_buffer(address, bytes, access))
    fail(fmt::format("out of range: a {} of {} bytes lies in no buffer", access == Access::kRead ? "read" : "write",
                     bytes));
}

}  // namespace
}  // namespace dachlast::emulation

// The functions that -fsanitize=thread calls, libtsan's names: gcc-mirror/gcc:libsanitizer/tsan/tsan_interface.h.
#define DACHLAST_ACCESS(size)                                                     \
  extern "C" void __tsan_read##size(void* p) {                                    \
    dachlast::emulation::on_access(p, size, dachlast::emulation::Access::kRead);  \
  }                                                                               \
  extern "C" void __tsan_write##size(void* p) {                                   \
    dachlast::emulation::on_access(p, size, dachlast::emulation::Access::kWrite); \
  }                                                                               \
  extern "C" void __tsan_unaligned_read##size(void* p) {                          \
    dachlast::emulation::on_access(p, size, dachlast::emulation::Access::kRead);  \
  }                                                                               \
  extern "C" void __tsan_unaligned_write##size(void* p) {                         \
    dachlast::emulation::on_access(p, size, dachlast::emulation::Access::kWrite); \
  }
DACHLAST_ACCESS(1)
DACHLAST_ACCESS(2)
DACHLAST_ACCESS(4)
DACHLAST_ACCESS(8)
DACHLAST_ACCESS(16)
#undef DACHLAST_ACCESS

extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_read_range(void* p, std::size_t bytes) {
  dachlast::emulation::on_access(p, bytes, dachlast::emulation::Access::kRead);
}
void __tsan_write_range(void* p, std::size_t bytes) {
  dachlast::emulation::on_access(p, bytes, dachlast::emulation::Access::kWrite);
}
}
