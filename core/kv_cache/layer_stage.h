#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "core/kv_cache/kv_stage.h"
#include "core/kv_cache/kv_tier.h"

namespace dachlast {

/// Slots of layers in work before a tier that holds all of them. While one layer computes in a slot, an I/O thread brings the
/// blocks of the next one into the other and then takes away what the one before has written: reads ahead, writes behind.
/// Errors   a failure of the tier reaches whoever waits for it next, as does an `Error` (kFailure) after `patience` without
///          progress; the stage is of no use then, and its destructor leaves a thread that is stuck in the system behind.
/// Threads  one caller; the I/O thread is inside.
class LayerStage final : public KvStage {
 public:
  LayerStage(std::unique_ptr<TierMemory> tier, StageOptions options);
  ~LayerStage() override;
  LayerStage(const LayerStage&) = delete;
  LayerStage& operator=(const LayerStage&) = delete;

  /// Bytes in RAM beside the tier: slots and the room that a chunk is put together in.
  static double memory_bytes(double slot_bytes, double largest_record_bytes, double bounce_alignment);

  void begin_step(StageLists lists) override;
  /// Waits until the layer's blocks are in its slot.
  void enter(int layer) override;
  void leave(int layer) override;
  std::span<std::byte> slot(int layer) override;
  void copy(std::int64_t from_record, std::int64_t to_record) override;
  KvTraffic traffic() override;
  std::string tier_description() const override;
  /// RAM, that of the tier included.
  double bytes() const override;

 private:
  struct State;
  std::shared_ptr<State>
      state_;  // shared with the thread, which may outlive this object where the system never answers
  std::jthread thread_;
};

}  // namespace dachlast
