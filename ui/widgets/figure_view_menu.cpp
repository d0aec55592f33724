// What the context menu of a chart copies, saves and shows.
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QDialog>
#include <QImage>
#include <QMenu>
#include <QMimeData>
#include <QVBoxLayout>

#include "ui/paint/figure_painter.h"
#include "ui/widgets/data_table.h"
#include "ui/widgets/figure_view.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr double kCopyScale = 2.0;  // sharp on a dense screen
constexpr QSize kTableSize{760, 480};
constexpr int kPngScales[] = {1, 2, 3};

}  // namespace

viewmodel::Table FigureView::data() const {
  if (data_) return data_();
  return table_ ? table_() : factsTable();
}

/// The figure as it leaves the program: nobody can ask there. Drawn anew, in English: reports and files have a language of their own.
figure::Figure FigureView::figureWithFacts() const {
  if (!source_) return {};
  figure::Figure whole = source_({static_cast<double>(width()), static_cast<double>(height())});
  for (auto& primitive : whole.primitives)
    if (auto* hit = std::get_if<figure::HitBox>(&primitive)) hit->tooltip = factsOf(*hit);
  return whole;
}

void FigureView::save(const QString& kind, double scale) {
  Q_EMIT saveRequested(figureWithFacts(), table_ ? table_() : viewmodel::Table{}, kind, scale);
}

/// The facts of every datum as the chart tells them on hover.
viewmodel::Table FigureView::factsTable() const {
  viewmodel::Table table{.id = figure().id, .title = figure().title, .columns = {}, .rows = {}, .notes = {}};
  table.columns = {{"datum", "Datum", "", "", viewmodel::Align::kLeft},
                   {"facts", "Facts", "", "", viewmodel::Align::kLeft}};
  for (const auto& primitive : figure().primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) {
      std::string facts = said_lines(factsOf(*hit)).toStdString();
      for (std::size_t at = 0; (at = facts.find('\n', at)) != std::string::npos;) facts.replace(at, 1, "; ");
      table.rows.push_back({viewmodel::text_cell(hit->datum), viewmodel::text_cell(std::move(facts))});
    }
  return table;
}

/// What pastes pictures gets the picture, what pastes text the figures.
void FigureView::copyImage() {
  auto* both = new QMimeData;
  both->setImageData(image_of(figure(), theme_of(palette()), kCopyScale));
  DataTable table;
  table.setTable(data());
  both->setText(table.selectionAsTsv());
  QApplication::clipboard()->setMimeData(both);
}

void FigureView::showAsTable() {
  auto* dialog = new QDialog(this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setWindowTitle(to_qt(figure().title));
  auto* table = new DataTable(dialog);
  table->setTable(table_ ? table_() : data());
  auto* layout = new QVBoxLayout(dialog);
  layout->addWidget(table);
  dialog->resize(kTableSize);
  dialog->open();
}

void FigureView::fillMenu(QMenu& menu) {
  menu.addAction(tr("Copy image"), this, &FigureView::copyImage);
  menu.addAction(tr("Copy data"), this, [this] {
    DataTable table;
    table.setTable(data());
    QApplication::clipboard()->setText(table.selectionAsTsv());
  });
  menu.addSeparator();
  QMenu* png = menu.addMenu(tr("Save as PNG"));
  for (const int scale : kPngScales)
    //: %1 is a number of pixels
    png->addAction(tr("%1× pixels…").arg(scale), this, [this, scale] { save(QStringLiteral("png"), scale); });
  menu.addAction(tr("Save as SVG…"), this, [this] { save(QStringLiteral("svg")); });
  menu.addAction(tr("Save as CSV…"), this, [this] { Q_EMIT saveDataRequested(data(), QStringLiteral("csv")); });
  menu.addAction(tr("Save as JSON…"), this, [this] { Q_EMIT saveDataRequested(data(), QStringLiteral("json")); });
  menu.addSeparator();
  menu.addAction(tr("Show as table"), this, &FigureView::showAsTable);
  menu.addAction(tr("Add to report"), this, [this] { Q_EMIT addToReportRequested(figureWithFacts()); });
  menu.addActions(actions());  // those of the page
  if (zoom_ != Zoom::kNone) menu.addAction(tr("Show everything"), this, &FigureView::resetRequested);
}

void FigureView::contextMenuEvent(QContextMenuEvent* event) {
  if (!source_) return;
  QMenu menu;
  fillMenu(menu);
  menu.exec(event->globalPos());
}

}  // namespace dachlast::ui
