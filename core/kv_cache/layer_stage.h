#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/base/units.h"
#include "core/kv_cache/kv_tier.h"
#include "core/model/kv_traffic.h"

namespace dachlast {

/// A block of the layer in work and the record in the tier that holds it between the layer's turns.
struct StagedBlock {
  std::int32_t block = -1;
  std::int64_t record = -1;

  friend auto operator<=>(const StagedBlock&, const StagedBlock&) = default;
};

/// What a step moves for every layer.
struct StageLists {
  std::vector<StagedBlock> load;   // held tokens before the step
  std::vector<StagedBlock> store;  // is written by the step
};

/// Where the parts of blocks lie within a slot: part p of block b at parts[p].offset + b · parts[p].block_bytes.
struct StagePart {
  std::size_t offset = 0;
  std::size_t block_bytes = 0;
};

struct StageLayer {
  std::array<StagePart, 4> parts;  // key rows, value rows, their scales; empty ones have no bytes
  std::int64_t tier_offset = 0;    // of its record 0
  std::size_t record_bytes = 0;    // from one record to the next
};

struct StageOptions {
  std::vector<StageLayer> layers;
  double slot_bytes = 0.0;  // of the largest layer
  std::size_t bounce_alignment = 64;
  /// Longest time without any progress of the tier. Linux gives a disk 30 s for a command before it resets the device, after
  /// which answers come again.
  /// Source   torvalds/linux:include/scsi/scsi_device.h, drivers/scsi/sd.h (SD_TIMEOUT).
  Seconds patience{30.0};
};

/// Slots of layers in work before a tier that holds all of them. While one layer computes in a slot, an I/O thread brings the
/// blocks of the next one into the other and then takes away what the one before has written: reads ahead, writes behind.
/// Errors   a failure of the tier reaches whoever waits for it next, as does an `Error` (kFailure) after `patience` without
///          progress; the stage is of no use then, and its destructor leaves a thread that is stuck in the system behind.
/// Threads  one caller; the I/O thread is inside.
class LayerStage {
 public:
  static constexpr int kSlots = 2;  // one in work, one in transfer

  LayerStage(std::unique_ptr<TierMemory> tier, StageOptions options);
  ~LayerStage();
  LayerStage(const LayerStage&) = delete;
  LayerStage& operator=(const LayerStage&) = delete;

  /// Bytes in RAM beside the tier: slots and the room that a chunk is put together in.
  static double memory_bytes(double slot_bytes, double largest_record_bytes, double bounce_alignment);

  /// Begins to fetch the first layers.
  void begin_step(StageLists lists);
  /// Waits until the layer's blocks are in its slot.
  void enter(int layer);
  /// The layer's turn is over: what it wrote goes to the tier, and a later layer takes its slot.
  void leave(int layer);

  /// Memory of a layer during its turn.
  std::span<std::byte> slot(int layer);

  /// Copies a record in every layer, behind all that is under way.
  void copy(std::int64_t from_record, std::int64_t to_record);

  /// What has passed so far; waits for what is under way.
  KvTraffic traffic();
  std::string tier_description() const;
  /// RAM, that of the tier included.
  double bytes() const;

 private:
  struct State;
  std::shared_ptr<State>
      state_;  // shared with the thread, which may outlive this object where the system never answers
  std::jthread thread_;
};

}  // namespace dachlast
