#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/viewmodel/language.h"

namespace dachlast::cli {

enum class Format { kTable, kMarkdown, kJson, kJsonl, kCsv };
enum class DocumentFormat { kHtml, kPdf };
/// What a command makes, and so which formats it knows: tables, or a document.
enum class ResultKind { kTables, kDocument };
enum class Verbosity { kQuiet, kNormal, kVerbose };
enum class ProgressStyle { kAuto, kPlain, kJson, kNone };
enum class ColorMode { kAuto, kAlways, kNever };

/// Options every command takes.
struct CommonOptions {
  Format format = Format::kTable;
  DocumentFormat document = DocumentFormat::kHtml;  // of commands that make one
  Verbosity verbosity = Verbosity::kNormal;
  ProgressStyle progress = ProgressStyle::kAuto;
  ColorMode color = ColorMode::kAuto;
  viewmodel::Language language = viewmodel::Language::kEnglish;
  viewmodel::CapacityUnits units = viewmodel::CapacityUnits::kIec;
};

/// A verb of the command line. The definition of its options is the one source of --help, man page and completions.
class Command {
 public:
  virtual ~Command() = default;

  /// Adds the options and arguments of this verb.
  virtual void define(CLI::App& app) = 0;

  virtual ResultKind result() const { return ResultKind::kTables; }

  /// Does the work; the result goes to stdout, everything else to stderr. Returns the exit code.
  /// Errors   throws `Error`; `main` turns it into one message and the exit code of its kind.
  virtual int execute(const CommonOptions& common) = 0;
};

/// One row of the command list.
struct CommandRow {
  std::string_view name;
  std::string_view summary;   // one sentence
  std::string_view examples;  // lines of "command  # what it does"; the help starts with them
  std::unique_ptr<Command> (*make)();
};

/// Every verb, in the order help shows them.
std::span<const CommandRow> command_list();

}  // namespace dachlast::cli
