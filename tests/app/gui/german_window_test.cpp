// The window in German: no English is left on any page, and what leaves the program keeps decimal points.
#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QComboBox>
#include <QFileDialog>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenuBar>
#include <QPushButton>
#include <QRegularExpression>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBrowser>
#include <set>

#include "app/gui/languages.h"
#include "app/gui/main_window.h"
#include "app/gui/recording_presenter.h"
#include "app/gui/run_presenter.h"
#include "core/store/run_file.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"
#include "ui/models/table_model.h"
#include "ui/paint/figure_painter.h"
#include "ui/views/overview_view.h"
#include "ui/views/report_view.h"
#include "ui/views/roofline_view.h"
#include "ui/views/scenarios_view.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/chip_bar.h"
#include "ui/widgets/data_table.h"
#include "ui/widgets/figure_view.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

/// Texts of everything a window holds, menus and charts included.
class Texts {
 public:
  void collect(const QWidget& root) {
    for (const QWidget* widget : root.findChildren<QWidget*>()) add_widget(*widget);
    for (const QAction* action : root.findChildren<QAction*>()) add(action->text());
  }
  const std::set<QString>& all() const { return all_; }

 private:
  void add(const QString& text) {
    if (!text.trimmed().isEmpty()) all_.insert(text);
  }
  void add_widget(const QWidget& widget) {
    for (const QString& text : {widget.accessibleName(), widget.toolTip(), widget.windowTitle()}) add(text);
    if (const auto* label = qobject_cast<const QLabel*>(&widget)) add(label->text());
    if (const auto* button = qobject_cast<const QAbstractButton*>(&widget)) add(button->text());
    if (const auto* line = qobject_cast<const QLineEdit*>(&widget)) add(line->placeholderText());
    if (const auto* tabs = qobject_cast<const QTabWidget*>(&widget))
      for (int i = 0; i < tabs->count(); ++i) add(tabs->tabText(i));
    if (const auto* list = qobject_cast<const QListWidget*>(&widget))
      for (int i = 0; i < list->count(); ++i) add(list->item(i)->text());
    if (const auto* table = qobject_cast<const QTableView*>(&widget)) add_table(*table->model());
    if (const auto* chart = qobject_cast<const ui::FigureView*>(&widget)) add_figure(*chart);
  }
  void add_table(const QAbstractItemModel& model) {
    for (int column = 0; column < model.columnCount(); ++column) {
      add(model.headerData(column, Qt::Horizontal).toString());
      add(model.headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString());
      for (int row = 0; row < model.rowCount(); ++row) add(model.index(row, column).data().toString());
    }
  }
  void add_figure(const ui::FigureView& chart) {
    const figure::Figure& figure = chart.figure();
    add(ui::to_qt(figure.title));
    add(ui::to_qt(figure.description));
    for (const figure::Primitive& primitive : figure.primitives) {
      if (const auto* text = std::get_if<figure::Text>(&primitive)) add(ui::to_qt(text->text));
      if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) add(ui::said_lines(hit->tooltip));
    }
  }

  std::set<QString> all_;
};

/// Words that stand in English sentences and in no German one, nor in names of models and devices.
bool speaks_english(const QString& text) {
  static const QRegularExpression words(
      QStringLiteral("\\b(the|of|is|are|with|and|each|which|where|from|this|that|by|to|for|no|not|time|run|runs|"
                     "weights|layers?|steps?|"
                     "memory|measured|estimated|exact|open|share|share|roofs?|bound|context|spare|short|held|fits|free|"
                     "all|threads?)\\b"));
  // Commands and their options are the same in every language.
  QString rest = text;
  rest.remove(QRegularExpression(QStringLiteral("dachlast( [a-z]+)?|--[a-z-]+|`[^`]*`|Angaben von .*\\(--engine")));
  return words.match(rest).hasMatch();
}

std::string english_of(std::initializer_list<const QWidget*> roots) {
  Texts texts;
  for (const QWidget* root : roots) texts.collect(*root);
  EXPECT_GT(texts.all().size(), 100u);  // else the walk has lost the window
  std::string found;
  for (const QString& text : texts.all())
    if (speaks_english(text)) found += text.toStdString() + '\n';
  return found;
}

std::string english_of(const QWidget& root) {
  return english_of({&root});
}

class GermanWindow : public testing::Test {
 protected:
  static void SetUpTestSuite() { speak(QStringLiteral("de")); }

  QString write(const QString& name, const dachlast::Run& run) {
    const QString path = folder_.filePath(name);
    RunWriter writer = RunWriter::create(path.toStdString(), run, IfExists::kRefuse);
    trace::Span op;
    op.phase = Phase::kDecode;
    op.op = OpKind::kAttention;
    op.start_ns = 1'000;
    op.end_ns = 5'000;
    trace::Span step = op;
    step.zone = trace::ZoneKind::kStep;
    step.end_ns = 6'000;
    for (const MeasuredPoint& point : run.points) writer.add_point(point, std::vector{op, step});
    writer.finish();
    return path;
  }
  /// Every page once, with what it shows of two runs.
  void fill(MainWindow& window) {
    window.show();
    open_in(window, write("vorher.dachlast", test::sample_run()));
    auto slow = test::sample_run_on_one_thread();
    for (MeasuredPoint& point : slow.points)
      for (double& sample : point.samples_s) sample *= 1.5;
    open_in(window, write("nachher.dachlast", slow));
    window.presenter().select(QStringLiteral("decode/attention"));
    window.presenter().filterPhase(Phase::kDecode);
    Q_EMIT window.findChild<ui::ScenariosView*>()->pinRequested();
    for (const QString& page : window.pageTitles()) {
      window.showPage(page);
      QTest::qWait(20);
    }
  }

  QTemporaryDir folder_;
};

TEST_F(GermanWindow, HasGermanNamesOfPages) {
  const MainWindow window;
  EXPECT_TRUE(window.pageTitles().contains(QStringLiteral("Überblick"))) << "was the program built without lrelease?";
  EXPECT_TRUE(window.pageTitles().contains(QStringLiteral("Vergleichen")));
}

TEST_F(GermanWindow, LeavesNoEnglishOnEmptyPages) {
  MainWindow window;
  window.show();
  EXPECT_EQ(english_of(window), "");
}

TEST_F(GermanWindow, DecimalUnitsLeaveNoBinaryOneOnFilledPages) {
  ui::write_memory_in(viewmodel::CapacityUnits::kSi);
  {
    MainWindow window;
    fill(window);
    Texts texts;
    texts.collect(window);
    static const QRegularExpression binary(QStringLiteral("\\b[KMGT]iB\\b"));
    static const QRegularExpression decimal(QStringLiteral("\\b[kMGT]B\\b"));
    int n_decimal = 0;
    for (const QString& text : texts.all()) {
      EXPECT_FALSE(binary.match(text).hasMatch()) << text.toStdString();
      n_decimal += int{decimal.match(text).hasMatch()};
    }
    EXPECT_GT(n_decimal, 10);
  }
  ui::write_memory_in(viewmodel::CapacityUnits::kIec);
}

TEST_F(GermanWindow, OtherUnitsReachEveryFilledPageAtOnce) {
  MainWindow window;
  fill(window);
  const auto in_binary_units = [&] {
    static const QRegularExpression binary(QStringLiteral("\\b[KMGT]iB\\b"));
    Texts texts;
    texts.collect(window);
    QStringList found;
    for (const QString& text : texts.all())
      if (binary.match(text).hasMatch()) found << text;
    return found;
  };
  EXPECT_GT(in_binary_units().size(), 10);
  ui::write_memory_in(viewmodel::CapacityUnits::kSi);
  window.showAgain();
  const auto settled = [&] {
    for (const QString& page : window.pageTitles()) window.showPage(page);
    return in_binary_units().isEmpty();
  };
  EXPECT_TRUE(QTest::qWaitFor(settled, 10'000)) << in_binary_units().join(u'\n').toStdString();
  ui::write_memory_in(viewmodel::CapacityUnits::kIec);
}

TEST_F(GermanWindow, LeavesNoEnglishOnFilledPages) {
  MainWindow window;
  fill(window);
  EXPECT_EQ(english_of(window), "");
}

TEST_F(GermanWindow, LeavesNoEnglishOnPagesOfARecording) {
  const QString folder = QStringLiteral(DACHLAST_TEST_DATA_DIR "/profiles/");
  for (const char* name : {"qwen1.5-0.5b-h100.json.gz", "qwen3-8b-sglang-decode.json.gz"}) {
    SCOPED_TRACE(name);
    MainWindow window;
    window.show();
    window.open(folder + QString::fromLatin1(name));
    ASSERT_TRUE(QTest::qWaitFor([&] { return window.presenter().recording().isShown(); }, 10'000));
    for (const bool brushed : {false, true}) {
      auto* chart = window.findChild<ui::TimelineView*>()->findChild<ui::FigureView*>();
      const figure::Plane plane = *chart->figure().plane;
      const double domain = plane.x.domain().hi - plane.x.domain().lo;
      if (brushed)
        Q_EMIT chart->windowBrushed({{plane.x.domain().lo, plane.x.domain().lo + domain / 3.0}, plane.y.domain()});
      QTest::qWait(300);  // what ran there is summed meanwhile
      EXPECT_EQ(english_of({window.findChild<ui::OverviewView*>(), window.findChild<ui::RooflineView*>(),
                            window.findChild<ui::TimelineView*>(), &window.docks().operations(),
                            window.findChild<ui::ChipBar*>()}),
                "");
    }
  }
}

TEST_F(GermanWindow, WritesNumbersAsGermansDo) {
  EXPECT_EQ(ui::said("55,520.5").toStdString(), "55.520,5");
  EXPECT_EQ(ui::said("Budget: 71.68 GiB per device, 90 % of 79.64 GiB.").replace(u'\u00a0', u' ').toStdString(),
            "Budget: 71,68 GiB je Gerät, 90 % von 79,64 GiB.");
}

TEST_F(GermanWindow, CopiesKeepDecimalPoints) {
  ui::DataTable table;
  viewmodel::Table content{.id = "t", .title = "Phases", .columns = {}, .rows = {}, .notes = {}};
  content.columns = {{"phase", "Time", "ms", "", viewmodel::Align::kRight}};
  content.rows = {{viewmodel::number_cell(0.00821, "8.21", Origin::kMeasured)}};
  table.setTable(content);
  EXPECT_EQ(table.model()->index(0, 0).data().toString(), QStringLiteral("8,21"));
  EXPECT_EQ(table.selectionAsTsv(), QStringLiteral("Zeit, ms\n8.21\n"));
}

TEST_F(GermanWindow, CellsThatListPhrasesAreGerman) {
  ui::DataTable table;
  viewmodel::Table content{.id = "t", .title = "Options", .columns = {}, .rows = {}, .notes = {}};
  content.columns = {{"why", "Why", "", "", viewmodel::Align::kLeft}};
  content.rows = {{viewmodel::text_cell("fewest GPUs, lowest latency")},
                  {viewmodel::text_cell("fewest GPUs, unheard of")}};
  table.setTable(content);
  EXPECT_EQ(table.model()->index(0, 0).data().toString(), QStringLiteral("wenigste GPUs, geringste Latenz"));
  EXPECT_EQ(table.model()->index(1, 0).data().toString(), QStringLiteral("fewest GPUs, unheard of"));
}

TEST_F(GermanWindow, TheReportIsGermanUntilSomeoneWantsAnother) {
  const MainWindow window;
  EXPECT_EQ(window.findChild<ui::ReportView*>()->fields().language, viewmodel::Language::kGerman);
}

TEST_F(GermanWindow, HasGermanDialogsOfQt) {
  QFileDialog dialog;
  dialog.setOption(QFileDialog::DontUseNativeDialog);
  dialog.setFileMode(QFileDialog::ExistingFile);
  QStringList texts;
  for (const QAbstractButton* button : dialog.findChildren<QAbstractButton*>())
    texts << QString(button->text()).remove(u'&');
  EXPECT_TRUE(texts.contains(QStringLiteral("Abbrechen")))
      << "qt6-translations-l10n is not installed: " << texts.join(u'|').toStdString();
}

}  // namespace
}  // namespace dachlast::gui
