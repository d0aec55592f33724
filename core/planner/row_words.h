#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/planner/reference_rows.h"

namespace dachlast {

// What the words of a published row say of how an engine was run: notes, names and devices as people write them.

/// The engine of a row. `id` is that of a profile, empty where the row names an engine without one.
struct RowEngine {
  std::string id;       // "vllm"
  std::string version;  // "0.11"; empty: the newest
  std::string name;     // as the row names it: "FreeToken"
  std::string assumption;
};

/// Reads it off the engine's name, the notes and the source. A date stands for the release of its time; where there is
/// neither, the fraction of memory tells the versions before 0.21 (0.9) from those since (0.92).
/// Source   https://github.com/vllm-project/vllm/releases
RowEngine row_engine(std::string_view engine_name, std::string_view engine_version, const ReferenceSource& source,
                     std::optional<double> memory_fraction);

/// Settings and remarks in notes.
struct RowNotes {
  std::optional<int> block_tokens;
  std::optional<int> max_num_batched_tokens;
  std::optional<int> max_num_seqs;
  std::optional<int> n_kv_heads;  // of the checkpoint of that time
  int data_parallel = 1;          // groups of ranks that each hold the attention whole
  bool whole_experts = false;     // expert parallelism
  bool refused = false;           // the engine did not start
  bool drafter = false;           // layers that draft tokens are loaded
  bool shared_gpu = false;        // another program held memory
  bool marlin = false;            // weight-only kernels
  bool imprecise = false;         // "approximate", "low-confidence", "not stated"
  bool eager = false;             // no captured graphs
  std::optional<double> memory_fraction;
  std::optional<double> process_mib;  // what one process held, as nvidia-smi lists it
};
RowNotes read_notes(std::string_view text);

/// A device as a row names it.
struct RowDevice {
  std::string text;                    // as the row has it
  std::string name;                    // without brackets
  std::optional<int> n_devices;        // "(8x)"
  std::optional<double> reported_gib;  // total memory as the engine printed it
  std::optional<double> sold_gb;       // "80GB" in its name
};
RowDevice read_device_words(std::string_view text);

std::string lower_case(std::string_view text);
/// Whether `part` stands anywhere in `text`, inside words too.
bool has(std::string_view text, std::string_view part);
bool has_word(std::string_view text, std::string_view word);

/// The whole number right behind `word` and blanks, "=" or ":"; "--block-size 128".
std::optional<int> count_behind(std::string_view text, std::string_view word);
/// The number right before `word` and blanks: "79.18 GiB reported".
std::optional<double> number_before(std::string_view text, std::string_view word);
/// The same as a count of 1 to a million: "16 KV heads".
std::optional<int> count_before(std::string_view text, std::string_view word);

}  // namespace dachlast
