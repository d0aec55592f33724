#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/model/op_list.h"

namespace dachlast {

/// A change to how a model runs that its weights were not trained for: what it saves of time and memory is real, what it says
/// is not.
struct WhatIf {
  /// So many neighbouring layers share the K and V of the first of them; 0: none.
  /// Source   cross-layer attention, Brandon et al. 2024, arXiv:2405.12981, section 2.2.
  int shared_layers = 0;
  /// In prefill, layers from this one on take K and V from what it reads, and only the last token of a prompt goes through
  /// them; 0: all do.
  /// Source   SwiftKV, Qiao et al. 2024, arXiv:2410.03960, section 3.2.
  int swiftkv_from = 0;

  bool any() const { return shared_layers > 0 || swiftkv_from > 0; }
  friend bool operator==(const WhatIf&, const WhatIf&) = default;
};

/// Reads "shared-layers:K" with K of 2 or more, and "swiftkv:L" with L of 1 or more.
/// Errors   throws `Error` (kUsage) naming `option` and the text.
WhatIf parse_what_if(std::string_view option, std::string_view text);
/// The text that `parse_what_if` reads back; empty for none.
std::string text_of(const WhatIf& what_if);

/// The model whose layers share caches as asked: the first of every group keeps one, the others name it in `shares_kv_with`.
/// Errors   throws `Error` (kUsage) where the model has fewer layers than are named, or those of a group differ in heads or
///          window.
ModelSpec with_what_if(ModelSpec model, const WhatIf& what_if);

/// Attention of layers that read another's cache in the shape of its own: what the engine's kernels are called with.
void shape_shared_attention(const ModelSpec& model, const Step& step, const Precision& precision, std::vector<Op>& ops);

/// Leaves of a prefill what the shortcut runs: the layers before `swiftkv_from` as they are, and of the others norm and
/// projection of K and V, RoPE and the write. No head: the last token follows as a step of its own.
void take_shortcut(const ModelSpec& model, const WhatIf& what_if, std::vector<Op>& ops);

}  // namespace dachlast
