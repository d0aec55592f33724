#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/store/run_file.h"
#include "core/trace/attach_record.h"
#include "core/viewmodel/attach_view.h"

namespace dachlast {

/// What to run and where its record goes.
struct AttachRequest {
  std::vector<std::string> command;  // program and arguments
  std::filesystem::path file;        // empty: "PROGRAM-20260301-140502.dachlast" in the working folder
  IfExists if_exists = IfExists::kRefuse;
  int max_mib = 2048;  // of events, of each process
};

struct AttachResult {
  AttachRecord record;
  std::filesystem::path file;
};

/// Runs a program with the library that records its NVTX events loaded into it, waits for its end, and writes the record.
/// The program's terminal, files, output and exit code are its own.
/// Errors   throws `Error`: kInput where the program cannot be started, kFailure where the library is missing or the file
///          cannot be written; then the events stay in the folder that the error names.
AttachResult attach(const AttachRequest& request);

/// Whether `show` should print a file with `attached_view`.
bool holds_attached_program(const std::filesystem::path& file);

/// Errors   throws `Error` (kInput) where the file cannot be read.
viewmodel::AttachView attached_view(const std::filesystem::path& file, std::size_t n_ranges);
viewmodel::AttachView attached_view(const AttachRecord& record, std::size_t n_ranges);

}  // namespace dachlast
