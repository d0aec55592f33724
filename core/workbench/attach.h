#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/store/run_file.h"
#include "core/trace/attach_record.h"
#include "core/viewmodel/attach_gpu_view.h"
#include "core/viewmodel/attach_view.h"

namespace dachlast {

/// What to run and where its record goes.
struct AttachRequest {
  std::vector<std::string> command;  // program and arguments
  std::filesystem::path file;        // empty: "PROGRAM-20260301-140502.dachlast" in the working folder
  IfExists if_exists = IfExists::kRefuse;
  int max_mib = 2048;    // of events, of each process; as much again of GPU work
  std::string counters;  // set of GPU counters to measure in place of a timeline; empty: none
};

struct AttachResult {
  AttachRecord record;
  std::filesystem::path file;
};

/// Runs a program with the libraries that record its NVTX events and, where this build has CUPTI, what its GPUs do; waits
/// for its end, and writes the record. The program's terminal, files, output and exit code are its own.
/// Errors   throws `Error`: kInput where the program cannot be started, kDevice where counters are asked for and this build
///          has no CUPTI, kFailure where the library is missing or the file cannot be written; then the events stay in the
///          folder that the error names.
AttachResult attach(const AttachRequest& request);

/// Whether `show` should print a file with `attached_view`.
bool holds_attached_program(const std::filesystem::path& file);

/// Errors   throws `Error` (kInput) where the file cannot be read.
viewmodel::AttachView attached_view(const std::filesystem::path& file, std::size_t n_ranges);
viewmodel::AttachView attached_view(const AttachRecord& record, std::size_t n_ranges);

/// What the GPUs of the program did; all empty where it used none.
/// Errors   throws `Error` (kInput) where the file cannot be read.
viewmodel::AttachGpuView attached_gpu_view(const std::filesystem::path& file);
viewmodel::AttachGpuView attached_gpu_view(const AttachRecord& record);

}  // namespace dachlast
