#pragma once

#include <memory>

#include "kernels/cuda/attention.h"
#include "tests/kernels/attention_problem.h"
#include "tests/kernels/cuda/device_memory.h"

// The problems of the CPU kernels' tests on a device.
namespace dachlast::kernels::cuda::testing {

using kernels::testing::AttentionPlan;
using kernels::testing::AttentionProblem;
using kernels::testing::ExpectedRow;

/// A call of the host's, with everything it points to copied.
class DeviceCall {
 public:
  explicit DeviceCall(const AttentionCall& host)
      : layout_(host.kv.pool.layout),
        q_(host.q),
        k_(host.kv.pool.k),
        v_(host.kv.pool.v),
        k_scales_(host.kv.pool.k_scales),
        v_scales_(host.kv.pool.v_scales),
        sequences_(sequences_of(host)),
        blocks_(blocks_of(host)),
        tails_(tails_of(host)),
        out_(out_elements(host)) {
    call_ = {host.n_heads,      host.rule,      host.mask, q_.span(), host.q_stride, pool(),
             sequences_.span(), blocks_.span(), 0,         0,         out_.span(),   {},
             tails_.span()};
    for (const KvSequence& s : host.kv.sequences) {
      call_.longest_q_len = std::max(call_.longest_q_len, s.q_len);
      call_.longest_kv_len = std::max(call_.longest_kv_len, s.kv_len);
    }
  }

  const CudaAttentionCall& call() const { return call_; }
  std::vector<float> out() const { return out_.host(); }
  std::size_t out_bytes() const { return call_.out.size_bytes(); }

 private:
  KvPool pool() const { return {layout_, k_.span(), v_.span(), k_scales_.span(), v_scales_.span()}; }

  static std::vector<CudaSequence> sequences_of(const AttentionCall& host) {
    std::vector<CudaSequence> all;
    std::int32_t first_block = 0;
    for (const KvSequence& s : host.kv.sequences) {
      const auto place = static_cast<std::int32_t>(all.size());
      all.push_back({first_block, s.kv_len, s.q_len, s.first_position, s.first_row, place});
      first_block += static_cast<std::int32_t>(s.blocks.size());
    }
    return all;
  }
  static std::vector<std::int32_t> blocks_of(const AttentionCall& host) {
    std::vector<std::int32_t> all;
    for (const KvSequence& s : host.kv.sequences) all.insert(all.end(), s.blocks.begin(), s.blocks.end());
    return all;
  }
  static std::vector<BF16> tails_of(const AttentionCall& host) {
    std::vector<BF16> all;
    for (const KvSequence& s : host.kv.sequences) all.insert(all.end(), s.tail.begin(), s.tail.end());
    return all;
  }
  static std::size_t out_elements(const AttentionCall& host) {
    std::size_t n_rows = 0;
    for (const KvSequence& s : host.kv.sequences) n_rows += static_cast<std::size_t>(s.q_len);
    return n_rows * static_cast<std::size_t>(host.n_heads * host.kv.pool.layout.value_dim);
  }

  KvLayout layout_;
  DeviceArray<float> q_;
  DeviceArray<std::byte> k_, v_;
  DeviceArray<ScaleWord> k_scales_, v_scales_;
  DeviceArray<CudaSequence> sequences_;
  DeviceArray<std::int32_t> blocks_;
  DeviceArray<BF16> tails_;
  DeviceArray<float> out_;
  CudaAttentionCall call_{};
};

/// Runs a variant by name and returns `out`.
inline std::vector<float> run_attention(const DeviceCall& device, std::string_view variant_name) {
  const CudaAttentionVariant& variant = attention_variant_for(device.call(), variant_name);
  DeviceArray<float> workspace(variant.workspace_floats(device.call()));
  variant.run(device.call(), workspace.span(), nullptr);
  return device.out();
}

/// Holds one variant against double precision.
inline void expect_attends(const AttentionPlan& plan, std::string_view variant) {
  const AttentionProblem problem(plan);
  const DeviceCall device(problem.call({}, {}));
  const std::vector<ExpectedRow> rows = problem.expected(attention_variant_for(device.call(), variant).arithmetic);
  const std::vector<float> out = run_attention(device, variant);
  const std::size_t width = rows[0].out.size();
  ASSERT_EQ(out.size(), rows.size() * width);
  for (std::size_t i = 0; i < out.size(); ++i)
    ASSERT_NEAR(out[i], rows[i / width].out[i % width], rows[i / width].tolerance[i % width])
        << problem.name(variant) << "; row " << i / width << ", element " << i % width;
}

}  // namespace dachlast::kernels::cuda::testing
