// Settings, keys, windows of the program.
#include <gtest/gtest.h>

#include <QAction>
#include <QDialogButtonBox>
#include <QKeySequenceEdit>
#include <QLocale>
#include <QMenuBar>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/help_dialog.h"
#include "app/gui/languages.h"
#include "app/gui/main_window.h"
#include "app/gui/preferences.h"
#include "app/gui/settings_dialog.h"
#include "core/figure/palette.h"
#include "tests/support/sample_run.h"
#include "ui/paint/theme.h"
#include "ui/views/overview_view.h"
#include "ui/widgets/data_table.h"

namespace dachlast::gui {
namespace {

TEST(Preferences, SurviveARestart) {
  const QTemporaryDir folder;
  Preferences chosen;
  chosen.theme = ThemeChoice::kDark;
  chosen.language = "de";
  chosen.units = viewmodel::CapacityUnits::kSi;
  chosen.threshold_percent = 75;
  chosen.roofs = RoofSource::kListed;
  chosen.keys = {{"measure", QKeySequence("Ctrl+M")}, {"repeat", QKeySequence()}};
  {
    QSettings stored(folder.filePath("s.ini"), QSettings::IniFormat);
    write_preferences(stored, chosen);
  }
  EXPECT_EQ(read_preferences(QSettings(folder.filePath("s.ini"), QSettings::IniFormat)), chosen);
}

TEST(Preferences, TakeDefaultsForWhatMakesNoSense) {
  const QTemporaryDir folder;
  QSettings stored(folder.filePath("s.ini"), QSettings::IniFormat);
  stored.setValue("theme", "purple");
  stored.setValue("language", "xx");
  stored.setValue("threshold", 400);
  stored.setValue("keys", 7);
  EXPECT_EQ(read_preferences(stored), Preferences{});
}

TEST(Preferences, ThemesHaveReadableColours) {
  for (const ThemeChoice choice : {ThemeChoice::kLight, ThemeChoice::kDark}) {
    apply_theme(choice);
    const QPalette palette = QApplication::palette();
    const auto rgb = [&](QPalette::ColorRole role) {
      const QColor c = palette.color(role);
      return figure::Rgb{static_cast<std::uint8_t>(c.red()), static_cast<std::uint8_t>(c.green()),
                         static_cast<std::uint8_t>(c.blue())};
    };
    // WCAG 2.1, 1.4.3: text 4.5:1.
    EXPECT_GE(figure::contrast(rgb(QPalette::WindowText), rgb(QPalette::Window)), 4.5);
    EXPECT_GE(figure::contrast(rgb(QPalette::Text), rgb(QPalette::Base)), 4.5);
    EXPECT_GE(figure::contrast(rgb(QPalette::ButtonText), rgb(QPalette::Button)), 4.5);
    EXPECT_GE(figure::contrast(rgb(QPalette::HighlightedText), rgb(QPalette::Highlight)), 4.5);
    EXPECT_GE(figure::contrast(rgb(QPalette::PlaceholderText), rgb(QPalette::Base)), 4.5);
    EXPECT_EQ(ui::theme_of(palette), choice == ThemeChoice::kDark ? ui::Theme::kDark : ui::Theme::kLight);
  }
  apply_theme(ThemeChoice::kSystem);
}

const QList<Command>& two_commands() {
  static const QList<Command> commands{{"measure", "Measure", QKeySequence("Ctrl+R"), QKeySequence("Ctrl+R")},
                                       {"repeat", "Repeat", QKeySequence("F5"), QKeySequence("F5")}};
  return commands;
}

TEST(SettingsDialog, NamesKeysThatTwoCommandsShare) {
  SettingsDialog dialog({}, two_commands());
  QPushButton* ok = dialog.findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Ok);
  const auto keys = dialog.findChildren<QKeySequenceEdit*>();
  ASSERT_EQ(keys.size(), 2);
  EXPECT_TRUE(ok->isEnabled());
  keys[1]->setKeySequence(QKeySequence("Ctrl+R"));
  EXPECT_FALSE(ok->isEnabled());
  keys[1]->setKeySequence(QKeySequence("Ctrl+T"));
  EXPECT_TRUE(ok->isEnabled());
  EXPECT_EQ(dialog.preferences().keys, (QMap<QString, QKeySequence>{{"repeat", QKeySequence("Ctrl+T")}}));
}

TEST(SettingsDialog, RestoresTheStandard) {
  Preferences odd;
  odd.theme = ThemeChoice::kDark;
  odd.language = "de";
  odd.units = viewmodel::CapacityUnits::kSi;
  odd.threshold_percent = 80;
  odd.roofs = RoofSource::kListed;
  SettingsDialog dialog(odd, two_commands());
  EXPECT_EQ(dialog.preferences(), odd);
  dialog.findChild<QDialogButtonBox*>()->button(QDialogButtonBox::RestoreDefaults)->click();
  EXPECT_EQ(dialog.preferences(), Preferences{});
}

TEST(Commands, TellWhichShareAKey) {
  QList<Command> commands = two_commands();
  EXPECT_TRUE(conflicts(commands).isEmpty());
  commands[1].key = commands[0].key;
  EXPECT_EQ(conflicts(commands), QStringList{"Ctrl+R: Measure, Repeat"});
  commands[0].key = commands[1].key = QKeySequence();
  EXPECT_TRUE(conflicts(commands).isEmpty()) << "no key is nobody's";
}

TEST(MainWindowSettings, EveryStandardKeyGivesOneCommand) {
  const MainWindow window;
  EXPECT_TRUE(conflicts(window.commands().list()).isEmpty());
  EXPECT_GT(window.commands().list().size(), 20);
}

TEST(MainWindowSettings, KeysCanBeChangedAndComeBack) {
  MainWindow window;
  Preferences chosen;
  chosen.keys = {{"page-roofline", QKeySequence("Alt+R")}};
  const auto key = [&] {
    for (const Command& command : window.commands().list())
      if (command.id == "page-roofline") return command.key;
    return QKeySequence();
  };
  window.applyPreferences(chosen);
  EXPECT_EQ(key(), QKeySequence("Alt+R"));
  window.applyPreferences({});
  EXPECT_EQ(key(), QKeySequence("Ctrl+2"));
}

TEST(MainWindowSettings, TheThresholdJudgesOpenRunsAnew) {
  MainWindow window;
  window.runs().add("a.dachlast", test::sample_run());
  const double own = window.runs().shown()->run->bound_threshold;
  Preferences chosen;
  chosen.threshold_percent = 95;
  window.applyPreferences(chosen);
  EXPECT_DOUBLE_EQ(window.runs().shown()->run->bound_threshold, 0.95);
  window.runs().add("b.dachlast", test::sample_run());
  EXPECT_DOUBLE_EQ(window.runs().shown()->run->bound_threshold, 0.95);
  window.applyPreferences({});
  EXPECT_DOUBLE_EQ(window.runs().shown()->run->bound_threshold, own);
}

TEST(MainWindowSettings, TheRoofsChangeOnEveryPageAtOnce) {
  MainWindow window;
  auto run = test::sample_run();
  run.roofs.device = "NVIDIA H100 80GB HBM3";
  window.runs().add("a.dachlast", run);
  const auto dram = [&] {
    return window.runs().shown()->run->roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, run.n_threads)->value;
  };
  const double measured = dram();
  const QString answer = window.findChild<ui::OverviewView*>()->answer();
  Preferences chosen;
  chosen.roofs = RoofSource::kListed;
  window.applyPreferences(chosen);
  EXPECT_DOUBLE_EQ(dram(), 3.35e12);  // of the data sheet
  EXPECT_NE(window.findChild<ui::OverviewView*>()->answer(), answer);
  window.applyPreferences({});
  EXPECT_DOUBLE_EQ(dram(), measured);
  EXPECT_EQ(window.findChild<ui::OverviewView*>()->answer(), answer);
}

/// Letters that two entries of one menu share.
QString shared_mnemonics(const QMenu& menu) {
  QMap<QChar, QString> seen;
  QString shared;
  for (const QAction* action : menu.actions()) {
    const int at = static_cast<int>(action->text().indexOf(u'&'));
    if (at < 0 || at + 1 >= action->text().size()) continue;
    const QChar letter = action->text()[at + 1].toLower();
    if (seen.contains(letter)) shared += action->text() + u'/' + seen[letter] + u' ';
    seen[letter] = action->text();
  }
  return shared;
}

TEST(MainWindowSettings, MenusHaveOneLetterAnEntry) {
  const MainWindow window;
  for (const QAction* menu : window.menuBar()->actions())
    EXPECT_EQ(shared_mnemonics(*menu->menu()).toStdString(), "") << menu->text().toStdString();
}

TEST(MainWindowSettings, SeveralWindowsLiveSideBySide) {
  MainWindow first;
  MainWindow second;
  first.show();
  second.show();
  first.runs().add("a.dachlast", test::sample_run());
  EXPECT_EQ(second.runs().shown(), nullptr);
}

TEST(HelpDialog, ListsKeysAndGestures) {
  HelpDialog dialog(two_commands());
  const auto tables = dialog.findChildren<ui::DataTable*>();
  ASSERT_EQ(tables.size(), 2);
  EXPECT_EQ(tables[0]->table().rows.size(), 2u);
  EXPECT_GE(tables[1]->table().rows.size(), 8u);
}

TEST(Languages, EnglishKnowsOneFromMany) {
  const QLocale before;
  speak("en");  // holds plural forms alone: every other string stays as it is
  const auto said = [](int n) {
    return QCoreApplication::translate("dachlast::ui::ReportView", "Remove %n added chart(s)", nullptr, n);
  };
  EXPECT_EQ(said(1), "Remove 1 added chart");
  EXPECT_EQ(said(2), "Remove 2 added charts");
  QLocale::setDefault(before);
}

TEST(Languages, HaveATitleEach) {
  EXPECT_EQ(language_choices().size(), 3);
  EXPECT_EQ(language_title("de"), "Deutsch");
  EXPECT_EQ(language_title("en"), "English");
}

}  // namespace
}  // namespace dachlast::gui
