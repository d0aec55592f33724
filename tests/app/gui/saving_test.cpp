// Charts and their data saved through the dialogs, as a person does it; the pictures of window and command line.
#include <gtest/gtest.h>

#include <QFile>
#include <QFileDialog>
#include <QImage>
#include <QLineEdit>
#include <QStatusBar>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include "app/documents/png.h"
#include "app/gui/main_window.h"
#include "core/viewmodel/roofline_plot.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"
#include "tests/ui/widgets/context_menu.h"
#include "ui/paint/figure_painter.h"
#include "ui/views/roofline_view.h"
#include "ui/widgets/figure_view.h"

namespace dachlast::gui {
namespace {

constexpr int kLookAgainMs = 20;

QByteArray bytes_of(const QString& name) {
  QFile file(name);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// Answers the next file dialog with a name; with an empty one it is cancelled.
class DialogAnswer : public QObject {
 public:
  explicit DialogAnswer(const QString& file) : file_(file) {
    timer_.callOnTimeout(this, [this] { look(); });
    timer_.start(kLookAgainMs);
  }
  bool asked() const { return asked_; }

 private:
  void look() {
    auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
    if (dialog == nullptr) return;
    timer_.stop();
    asked_ = true;
    if (file_.isEmpty()) return dialog->reject();
    dialog->findChild<QLineEdit*>(QStringLiteral("fileNameEdit"))->setText(file_);
    static_cast<QDialog*>(dialog)->accept();
  }

  QString file_;
  QTimer timer_;
  bool asked_ = false;
};

class SavingTest : public testing::Test {
 protected:
  SavingTest() {
    window_.show();
    open_in(window_, write_run(folder_.filePath("one.dachlast"), test::sample_run()));
    window_.showPage("Roofline");
  }

  ui::FigureView& chart() { return *window_.findChild<ui::RooflineView*>()->findChild<ui::FigureView*>(); }

  /// Chooses an entry of the chart's menu and answers the dialog.
  bool save(const QString& entry, const QString& file) {
    const DialogAnswer answer(file);
    return ui::choose_from_menu(chart(), {5, 5}, entry) && answer.asked();
  }

  QTemporaryDir folder_;
  MainWindow window_;
};

TEST_F(SavingTest, PicturesAreWrittenAtTheScaleChosen) {
  for (const int scale : {1, 2, 3}) {
    const QString file = folder_.filePath(QStringLiteral("picture%1.png").arg(scale));
    ASSERT_TRUE(save(QStringLiteral("%1× pixels…").arg(scale), file));
    const QImage image(file);
    EXPECT_GT(image.width(), scale * chart().width());  // the chart, and a margin around it
    EXPECT_GT(image.height(), scale * chart().height());
    EXPECT_EQ(window_.statusBar()->currentMessage().toStdString(), "Written to " + file.toStdString());
  }
}

TEST_F(SavingTest, PicturesSayWhatTheyAreOf) {
  const QString file = folder_.filePath("roofline.svg");
  ASSERT_TRUE(save("Save as SVG…", file));
  const QByteArray svg = bytes_of(file);
  for (const char* text : {" on ", "parameters", "measured 2026", "Operations on the roofline", "attention"})
    EXPECT_TRUE(svg.contains(text)) << text;
}

TEST_F(SavingTest, DataHoldPointsAndRoofs) {
  for (const char* kind : {"CSV", "JSON"}) {
    const QString file = folder_.filePath(QStringLiteral("roofline.") + QString::fromLatin1(kind).toLower());
    ASSERT_TRUE(save(QStringLiteral("Save as %1…").arg(QLatin1String(kind)), file));
    const QByteArray data = bytes_of(file);
    EXPECT_TRUE(data.contains("point")) << kind;
    EXPECT_TRUE(data.contains("roof_bytes_per_s")) << kind;
  }
}

TEST_F(SavingTest, AChangedMindLeavesNothing) {
  ASSERT_TRUE(save("Save as SVG…", QString()));
  EXPECT_EQ(QDir(folder_.path()).entryList({"*.svg"}, QDir::Files).size(), 0);
}

TEST_F(SavingTest, AFolderThatIsNotThereIsNamed) {
  ASSERT_TRUE(save("Save as SVG…", "/proc/nowhere/roofline.svg"));
  EXPECT_TRUE(window_.statusBar()->currentMessage().contains("was not written"))
      << window_.statusBar()->currentMessage().toStdString();
}

/// Pixels of another colour; all of them where the sizes differ.
int n_different(const QImage& a, const QImage& b) {
  if (a.size() != b.size()) return a.width() * a.height();
  int n = 0;
  for (int y = 0; y < a.height(); ++y)
    for (int x = 0; x < a.width(); ++x) n += a.pixel(x, y) != b.pixel(x, y) ? 1 : 0;
  return n;
}

TEST(Pictures, OfTheCommandLineAreThoseOfTheWindow) {
  const figure::Figure chart =
      viewmodel::roofline_figure(viewmodel::roofline_plot(test::sample_run()), {640.0, 420.0}, "roofline");
  for (const auto& [theme, of_window] : {std::pair(figure::PictureTheme::kLight, ui::Theme::kLight),
                                         std::pair(figure::PictureTheme::kDark, ui::Theme::kDark)}) {
    const QImage drawn = QImage::fromData(QByteArray::fromStdString(png_of(chart, theme, 2.0)), "PNG");
    // Glyphs that Qt has drawn before may lie a fraction of a pixel off.
    EXPECT_LT(n_different(drawn, ui::image_of(chart, of_window, 2.0)), 100);
  }
}

}  // namespace
}  // namespace dachlast::gui
