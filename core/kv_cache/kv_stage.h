#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/units.h"
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

/// Room for the layers in work before a tier that holds all of them: while one layer computes in its slot, the blocks of the
/// next one come into another.
/// Errors   a failure of the tier reaches whoever waits for it next; the stage is of no use then.
/// Threads  one caller.
class KvStage {
 public:
  static constexpr int kSlots = 2;  // one in work, one in transfer

  virtual ~KvStage() = default;

  /// Begins to fetch the first layers.
  virtual void begin_step(StageLists lists) = 0;
  /// What is done from now on finds the layer's blocks in its slot.
  virtual void enter(int layer) = 0;
  /// The layer's turn is over: what it wrote goes to the tier, and a later layer takes its slot.
  virtual void leave(int layer) = 0;

  /// All that computes has been done. Where nobody waits for transfers before, says what failed of them.
  virtual void finish_step() {}

  /// Memory of a layer during its turn.
  virtual std::span<std::byte> slot(int layer) = 0;

  /// Copies a record in every layer, behind all that is under way.
  virtual void copy(std::int64_t from_record, std::int64_t to_record) = 0;

  /// What has passed so far; waits for what is under way.
  virtual KvTraffic traffic() = 0;
  virtual std::string tier_description() const = 0;
  /// Bytes of slots, and of the tier where it is memory.
  virtual double bytes() const = 0;
};

}  // namespace dachlast
