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

std::string suggestion(std::string_view given, const std::vector<std::string>& known, const viewmodel::Words& words) {
  const auto nearest = nearest_name(given, known);
  return nearest ? " " + words(fmt::format("Did you mean '{}'?", *nearest)) : std::string{};
}

/// The language of help and of what the parser refuses, before any option has been taken over: the last --lang among
/// the words, else the environment's.
viewmodel::Language language_asked_for(int argc, const char* const* argv) {
  const char* environment = std::getenv("DACHLAST_LANG");
  std::string_view code = environment == nullptr ? "" : environment;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--") break;
    if (word.starts_with("--lang=")) code = word.substr(7);
    if (word == "--lang" && i + 1 < argc) code = argv[i + 1];
  }
  return viewmodel::language_from_code(code).value_or(viewmodel::Language::kEnglish);
}

/// What the parser says of values it cannot take: "Could not convert: --pp = 99999999999" and others.
std::string refusal_of(const CLI::ParseError& error, const viewmodel::Words& words) {
  const std::string text = error.what();
  if (dynamic_cast<const CLI::ConversionError*>(&error) == nullptr) return words(text);
  const std::size_t colon = text.find(": ");
  return fmt::format("{}: {}", colon == std::string::npos ? text : text.substr(colon + 2),
                     words("is not a number this option can take."));
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
  fmt::print("{}", program_help(command_list(), *words_));
  return kExitUsage;
}

std::string Program::unknown_word(int argc, const char* const* argv) const {
  const Verb* const verb = selected();
  std::vector<std::string> known = verb ? option_names(*verb->app) : std::vector<std::string>{};
  if (!verb)
    for (const auto& row : verbs_)
      if (!row.row->examples.empty()) known.emplace_back(row.row->name);
  const auto extras = verb ? verb->app->remaining() : app_.remaining();
  const std::string first = !extras.empty() ? extras.front() : (argc > 1 ? argv[1] : "");
  const std::string name = first.substr(0, first.find('='));  // --contxt=8
  return fmt::format("{}: {}{}", first,
                     (*words_)(verb ? fmt::format("not known to `{}`.", verb->row->name) : "not known as a command."),
                     suggestion(name, known, *words_));
}

int Program::report_parse_error(const CLI::ParseError& error, int argc, const char* const* argv) {
  const Verb* const verb = selected();
  if (dynamic_cast<const CLI::CallForVersion*>(&error) != nullptr) {
    fmt::print("{}\n", error.what());
    return kExitDone;
  }
  if (dynamic_cast<const CLI::CallForHelp*>(&error) != nullptr) {
    fmt::print("{}", verb ? short_help(*verb->app, *verb->row, *words_) : program_help(command_list(), *words_));
    return kExitDone;
  }
  if (dynamic_cast<const CLI::CallForAllHelp*>(&error) != nullptr) {
    fmt::print("{}", verb ? full_help(*verb->app, *verb->row, *words_) : program_help(command_list(), *words_));
    return kExitDone;
  }
  const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  fmt::print(stderr, "dachlast: {}\n", unknown ? unknown_word(argc, argv) : refusal_of(error, *words_));
  const std::string command = verb ? fmt::format("dachlast {}", verb->row->name) : "dachlast";
  fmt::print(stderr, "{}\n", (*words_)(fmt::format("`{} -h` shows examples and options.", command)));
  return kExitUsage;
}

int Program::run(int argc, const char* const* argv) {
  words_ = &viewmodel::Words::of(language_asked_for(argc, argv));
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_parse_error(error, argc, argv);
  }
  if (const Verb* const verb = selected()) words_ = &words_of(*verb->common);
  try {
    return execute_selected();
  } catch (const Error& error) {
    fmt::print(stderr, "dachlast: {}\n", message_of(error, *words_));
    return exit_code_of(error.kind());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "dachlast: {}\n",
               (*words_)("memory: the system refused an allocation. Ask for a smaller context or batch."));
    return kExitDoesNotFit;
  } catch (const std::exception& error) {
    fmt::print(stderr, "dachlast: {}\n", (*words_)(fmt::format("unexpected failure: {}", error.what())));
    return kExitFailure;
  }
}

}  // namespace dachlast::cli
