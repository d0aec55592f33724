#include "core/engine/curve_calibration.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/error.h"
#include "core/hardware/host.h"
#include "core/model/model_source.h"
#include "core/model/weights.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

HostTopology host_with_cache(double bytes) {
  HostTopology host = read_host_topology();
  host.caches = {{1, 32e3, 2}, {2, 1e6, 2}, {3, bytes, 1}};
  return host;
}

TEST(CurveProbes, AreOfNoKnownModel) {
  std::set<int> widths;
  for (const PresetInfo& preset : list_presets()) {
    if (preset.imported) continue;
    const ModelSpec spec = resolve_model(preset.name).spec;
    for (const CurveProbe& probe : curve_probes(host_with_cache(32e6)))
      if (const auto* mlp = std::get_if<MlpSpec>(&spec.layers.front().feed_forward);
          mlp != nullptr && spec.d_model == probe.model.d_model) {
        EXPECT_NE(mlp->d_ff, mlp_of(probe.model.layers.front()).d_ff) << preset.name;
      }
  }
}

TEST(CurveProbes, LieWhereTheyAreMeantToLie) {
  constexpr double kCache = 32e6;
  int n_resident = 0;
  for (const CurveProbe& probe : curve_probes(host_with_cache(kCache))) {
    const double bytes = weight_bytes(probe.model, kernels::weight_storage(probe.weights));
    if (probe.level == MemoryLevel::kL3) {
      ++n_resident;
      EXPECT_LT(bytes, 0.75 * kCache);
    } else if (!probe.batches.empty()) {
      EXPECT_GT(bytes, 2.0 * kCache);
    }
  }
  EXPECT_GE(n_resident, 4);  // one for every type of weights
}

TEST(CurveCalibration, TimesEveryOperationOfAProbe) {
  CurveProbe probe = curve_probes(host_with_cache(1e6)).front();
  probe.model.layers.resize(1);
  probe.batches = {1};
  probe.prompts = {8};
  const HostTopology host = read_host_topology();
  const HostCurves curves = calibrate_curves(host, {&probe, 1}, 1);
  std::set<OpKind> kinds;
  for (const OpSample& sample : curves.samples) {
    kinds.insert(sample.features.op);
    EXPECT_GT(sample.seconds, 0.0);
  }
  for (const OpKind kind : {OpKind::kEmbed, OpKind::kNorm, OpKind::kQkvProj, OpKind::kRope, OpKind::kKvWrite,
                            OpKind::kAttention, OpKind::kOProj, OpKind::kMlpUp, OpKind::kMlpAct, OpKind::kMlpDown,
                            OpKind::kResidual, OpKind::kLmHead, OpKind::kSample})
    EXPECT_TRUE(kinds.contains(kind)) << name_of(kind);
  EXPECT_GT(curves.gap_s, 0.0);
  EXPECT_EQ(curves.n_threads, 1);
}

TEST(CurveCalibration, StopsWhenAsked) {
  std::stop_source source;
  source.request_stop();
  const HostTopology host = read_host_topology();
  const std::vector<CurveProbe> probes = {curve_probes(host_with_cache(1e6)).front()};
  EXPECT_THROW(calibrate_curves(host, probes, 1, source.get_token()), Error);
}

}  // namespace
}  // namespace dachlast
