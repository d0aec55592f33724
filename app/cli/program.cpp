#include "app/cli/program.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "app/cli/exit_code.h"
#include "app/cli/help.h"
#include "app/cli/output.h"
#include "core/base/nearest_name.h"

#ifndef DACHLAST_VERSION
#error "DACHLAST_VERSION comes from the build"
#endif

namespace dachlast::cli {
namespace {

const std::map<std::string, Format> kFormats{{"table", Format::kTable},
                                             {"md", Format::kMarkdown},
                                             {"json", Format::kJson},
                                             {"jsonl", Format::kJsonl},
                                             {"csv", Format::kCsv}};
const std::map<std::string, DocumentFormat> kDocumentFormats{{"html", DocumentFormat::kHtml},
                                                             {"pdf", DocumentFormat::kPdf}};
const std::map<std::string, ProgressStyle> kProgressStyles{{"auto", ProgressStyle::kAuto},
                                                           {"plain", ProgressStyle::kPlain},
                                                           {"json", ProgressStyle::kJson},
                                                           {"none", ProgressStyle::kNone}};
const std::map<std::string, viewmodel::Language> kLanguages{{"en", viewmodel::Language::kEnglish},
                                                            {"de", viewmodel::Language::kGerman}};
const std::map<std::string, viewmodel::CapacityUnits> kCapacityUnits{{"iec", viewmodel::CapacityUnits::kIec},
                                                                     {"si", viewmodel::CapacityUnits::kSi}};
const std::map<std::string, ColorMode> kColorModes{
    {"auto", ColorMode::kAuto}, {"always", ColorMode::kAlways}, {"never", ColorMode::kNever}};

/// Adds an option that accepts the keys of `values` and stores the value; help and completions list the keys.
template <class T>
CLI::Option* add_choice(CLI::App& app, const std::string& name, T& target, const std::map<std::string, T>& values,
                        const std::string& description) {
  std::string keys;
  for (const auto& [key, value] : values) keys += (keys.empty() ? "{" : ",") + key;
  auto* option = app.add_option_function<std::string>(
      name, [&target, &values](const std::string& key) { target = values.at(key); }, description);
  option->check([&values](const std::string& key) {
    return values.contains(key) ? std::string{} : fmt::format("'{}' is not one of its values", key);
  });
  const auto current =
      std::find_if(values.begin(), values.end(), [&](const auto& row) { return row.second == target; });
  return option->type_name(keys + "}")->default_str(current == values.end() ? "" : current->first);
}

std::string environment_name(const std::string& long_name) {
  std::string name = "DACHLAST_";
  for (const char c : long_name)
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

void let_environment_set(CLI::App& app) {
  for (auto* option : app.get_options())
    if (!option->get_lnames().empty() && option->get_configurable())
      option->envname(environment_name(option->get_lnames().front()));
}

/// A configuration file whose lines yield to the environment: the parser would ask the file first (UX.md §5).
class FileBehindEnvironment : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    auto lines = CLI::ConfigTOML::from_config(input);
    std::erase_if(lines, [](const CLI::ConfigItem& item) {
      const char* value = std::getenv(environment_name(item.name).c_str());
      return value != nullptr && *value != '\0';
    });
    return lines;
  }
};

std::string user_config_file() {
  if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg != nullptr && *xdg != '\0')
    return std::string(xdg) + "/dachlast/config.toml";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.config/dachlast/config.toml";
}

/// As `what()`, in the reader's language: subject, reason and way out are sentences of their own.
std::string message_of(const Error& error, const viewmodel::Words& words) {
  if (words.language() == viewmodel::Language::kEnglish) return words(error.what());
  const std::string way_out = error.way_out().empty() ? "" : " " + words(error.way_out());
  return fmt::format("{}: {}{}", words(error.subject()), words(error.reason()), way_out);
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto& option : option_texts(app))
    names.insert(names.end(), option.long_names.begin(), option.long_names.end());
  return names;
}

std::string suggestion(std::string_view given, const std::vector<std::string>& known) {
  const auto nearest = nearest_name(given, known);
  return nearest ? fmt::format(" Did you mean '{}'?", *nearest) : std::string{};
}

}  // namespace

Program::Program() : app_("Measures and predicts the memory and compute load of transformer layers", "dachlast") {
  app_.set_help_flag("-h", "Short help, examples first");
  app_.set_help_all_flag("--help", "Full help");
  app_.set_version_flag("--version", std::string("dachlast " DACHLAST_VERSION));
  app_.config_formatter(std::make_shared<FileBehindEnvironment>());
  app_.set_config("--config", user_config_file(), "Read option defaults from this TOML file");
  app_.require_subcommand(0, 1);
  for (const auto& row : command_list()) add_verb(row);
}

void Program::add_common_options(CLI::App& app, ResultKind result, CommonOptions& common) {
  if (result == ResultKind::kDocument) {
    add_choice(app, "--format", common.document, kDocumentFormats, "Format of the document")->group(kCommonGroup);
  } else {
    add_choice(app, "--format", common.format, kFormats, "Format of the result")->group(kCommonGroup);
    app.add_flag_callback(
           "--json", [&common] { common.format = Format::kJson; }, "Same as --format json")
        ->group(kCommonGroup);
  }
  add_choice(app, "--progress", common.progress, kProgressStyles, "How progress is shown on stderr")
      ->group(kCommonGroup);
  add_choice(app, "--lang", common.language, kLanguages, "Language of tables, sentences, errors and documents")
      ->group(kCommonGroup);
  add_choice(app, "--units", common.units, kCapacityUnits, "Memory in GiB or, with si, in GB; JSON and CSV hold bytes")
      ->group(kCommonGroup);
  add_choice(app, "--color", common.color, kColorModes, "Colour; NO_COLOR is honoured")->group(kCommonGroup);
  app.add_flag_callback(
         "-q,--quiet", [&common] { common.verbosity = Verbosity::kQuiet; }, "Only the result and errors")
      ->group(kCommonGroup);
  app.add_flag_callback(
         "-v,--verbose", [&common] { common.verbosity = Verbosity::kVerbose; }, "More detail")
      ->group(kCommonGroup);
}

void Program::add_verb(const CommandRow& row) {
  CLI::App* app = app_.add_subcommand(std::string(row.name), std::string(row.summary));
  app->set_help_flag("-h", "Short help, examples first")->group(kCommonGroup);
  app->set_help_all_flag("--help", "Full help")->group(kCommonGroup);
  if (row.examples.empty()) app->group("");  // helpers of the build: not shown
  auto command = row.make();
  command->define(*app);
  auto common = std::make_unique<CommonOptions>();
  add_common_options(*app, command->result(), *common);
  let_environment_set(*app);
  verbs_.push_back({&row, app, std::move(command), std::move(common)});
}

const Program::Verb* Program::selected() const {
  const auto verb = std::ranges::find_if(verbs_, [](const Verb& row) { return row.app->parsed(); });
  return verb == verbs_.end() ? nullptr : &*verb;
}

int Program::execute_selected() {
  if (const Verb* verb = selected()) return verb->command->execute(*verb->common);
  fmt::print("{}", program_help(command_list()));
  return kExitUsage;
}

int Program::report_parse_error(const CLI::ParseError& error, int argc, const char* const* argv) {
  const Verb* const selected = this->selected();
  const bool has_verb = selected != nullptr;
  if (dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr) {
    fmt::print("{}\n", error.what());
    return kExitDone;
  }
  if (dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr) {
    fmt::print("{}", has_verb ? short_help(*selected->app, *selected->row) : program_help(command_list()));
    return kExitDone;
  }
  if (dynamic_cast<const CLI::CallForAllHelp*>(&error) != nullptr) {
    fmt::print("{}", has_verb ? full_help(*selected->app, *selected->row) : program_help(command_list()));
    return kExitDone;
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    std::vector<std::string> known = has_verb ? option_names(*selected->app) : std::vector<std::string>{};
    if (!has_verb)
      for (const auto& verb : verbs_) known.emplace_back(verb.row->name);
    const auto extras = has_verb ? selected->app->remaining() : app_.remaining();
    const std::string first = !extras.empty() ? extras.front() : (argc > 1 ? argv[1] : "");
    fmt::print(stderr, "dachlast: {}: not known{}.{}\n", first,
               has_verb ? fmt::format(" to `{}`", selected->row->name) : " as a command", suggestion(first, known));
  } else if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    // "Could not convert: --pp = 99999999999"
    const std::string text = error.what();
    const std::size_t colon = text.find(": ");
    fmt::print(stderr, "dachlast: {}: is not a number this option can take.\n",
               colon == std::string::npos ? text : text.substr(colon + 2));
  } else {
    fmt::print(stderr, "dachlast: {}\n", error.what());
  }
  fmt::print(stderr, "`dachlast {}-h` shows examples and options.\n",
             has_verb ? std::string(selected->row->name) + " " : std::string{});
  return kExitUsage;
}

int Program::run(int argc, const char* const* argv) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(error, argc, argv);
  }
  try {
    return execute_selected();
  } catch (const Error& error) {
    const Verb* const verb = selected();
    fmt::print(stderr, "dachlast: {}\n",
               message_of(error, words_of(verb == nullptr ? CommonOptions() : *verb->common)));
    return exit_code_of(error.kind());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "dachlast: memory: the system refused an allocation. Ask for a smaller context or batch.\n");
    return kExitDoesNotFit;
  } catch (const std::exception& error) {
    fmt::print(stderr, "dachlast: unexpected failure: {}\n", error.what());
    return kExitFailure;
  }
}

}  // namespace dachlast::cli
