#include "ui/views/report_view.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QImage>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTextBrowser>
#include <QTextCursor>
#include <QTextDocument>
#include <QTextTable>
#include <QTimer>
#include <QVBoxLayout>

#include "ui/paint/figure_painter.h"

namespace dachlast::ui {
namespace {

constexpr int kTypingMs = 250;
constexpr double kPaperWidth = 760.0;
constexpr double kSharp = 2.0;  // pixels a unit
constexpr int kCellPadding = 4;

/// Writes a report into a document piece by piece: nothing of it is ever read as markup, whatever names files carry.
class Writer {
 public:
  Writer(QTextDocument& document, Theme theme) : document_(document), cursor_(&document), theme_(theme) {}

  void heading(const QString& text, double scale) {
    QTextCharFormat format;
    format.setFontWeight(QFont::DemiBold);
    format.setFontPointSize(document_.defaultFont().pointSizeF() * scale);
    block(text, format, 12.0);
  }
  void sentence(const QString& text) { block(text, QTextCharFormat(), 4.0); }

  void chart(const ReportSection::Chart& chart) {
    const figure::Figure figure = chart.source({kPaperWidth, chart.height});
    QImage image = image_of(figure, theme_, kSharp);
    image.setDevicePixelRatio(kSharp);
    const QString name = QStringLiteral("chart:%1").arg(n_charts_++);
    document_.addResource(QTextDocument::ImageResource, QUrl(name), image);
    cursor_.insertBlock();
    QTextImageFormat format;
    format.setName(name);
    format.setWidth(figure.size.width);
    format.setHeight(figure.size.height);
    cursor_.insertImage(format);
  }

  void table(const viewmodel::Table& table) {
    heading(to_qt(table.title), 1.0);
    QTextTableFormat format;
    format.setBorder(0.5);
    format.setBorderStyle(QTextFrameFormat::BorderStyle_Solid);
    format.setBorderBrush(colour(figure::Role::kGrid, theme_));
    format.setBorderCollapse(true);
    format.setCellPadding(kCellPadding);
    const int columns = static_cast<int>(table.columns.size());
    if (columns == 0 || table.rows.empty()) return;
    QTextTable* grid = cursor_.insertTable(static_cast<int>(table.rows.size()) + 1, columns, format);
    for (int column = 0; column < columns; ++column) {
      const auto& head = table.columns[static_cast<std::size_t>(column)];
      cell(*grid, 0, column, to_qt(head_of(head)), head.align, QFont::DemiBold);
      for (int row = 0; row < static_cast<int>(table.rows.size()); ++row)
        cell(*grid, row + 1, column,
             text_of(table.rows[static_cast<std::size_t>(row)][static_cast<std::size_t>(column)]), head.align,
             QFont::Normal);
    }
    cursor_.movePosition(QTextCursor::End);
    for (const std::string& note : table.notes) sentence(to_qt(note));
  }

 private:
  /// Estimated figures carry their sign everywhere (UX.md R2).
  static QString text_of(const viewmodel::Cell& cell) {
    const QString text = to_qt(cell.text);
    return cell.origin == Origin::kEstimated ? QStringLiteral("≈\u2009") + text : text;
  }

  void block(const QString& text, const QTextCharFormat& format, double above) {
    QTextBlockFormat around;
    around.setTopMargin(above);
    if (first_)
      cursor_.setBlockFormat(around);
    else
      cursor_.insertBlock(around);
    first_ = false;
    cursor_.insertText(text, format);
  }

  static void cell(QTextTable& grid, int row, int column, const QString& text, viewmodel::Align align, int weight) {
    QTextCursor cursor = grid.cellAt(row, column).firstCursorPosition();
    QTextBlockFormat block;
    block.setAlignment(align == viewmodel::Align::kRight ? Qt::AlignRight : Qt::AlignLeft);
    cursor.setBlockFormat(block);
    QTextCharFormat format;
    format.setFontWeight(weight);
    cursor.insertText(text, format);
  }

  QTextDocument& document_;
  QTextCursor cursor_;
  Theme theme_;
  int n_charts_ = 0;
  bool first_ = true;
};

}  // namespace

ReportView::ReportView(QWidget* parent)
    : Page(tr("No run open: there is nothing to report yet."), tr("Open…"), parent),
      level_(new QComboBox),
      title_(new QLineEdit),
      author_(new QLineEdit),
      note_(new QLineEdit),
      paper_(new QTextBrowser),
      delay_(new QTimer(this)) {
  paper_->setAccessibleName(tr("Preview of the report"));
  paper_->setOpenLinks(false);
  body()->addWidget(makeHead());
  body()->addWidget(paper_, 1);
  delay_->setSingleShot(true);
  delay_->setInterval(kTypingMs);
  connect(delay_, &QTimer::timeout, this, [this] { Q_EMIT changed(fields()); });
  for (QLineEdit* line : {title_, author_, note_})
    connect(line, &QLineEdit::textChanged, delay_, qOverload<>(&QTimer::start));
  connect(level_, &QComboBox::currentIndexChanged, this, [this] { Q_EMIT changed(fields()); });
}

QWidget* ReportView::makeHead() {
  auto* head = new QWidget;
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(0, 0, 0, 0);
  level_->addItems({tr("Full"), tr("Summary")});
  level_->setAccessibleName(tr("Level"));
  row->addWidget(level_);
  const auto add = [&](QLineEdit* line, const QString& name) {
    line->setPlaceholderText(name);
    line->setAccessibleName(name);
    row->addWidget(line, 1);
  };
  add(title_, tr("Title"));
  add(author_, tr("Author"));
  add(note_, tr("Note"));
  auto* button = new QPushButton(tr("&Export report…"));
  connect(button, &QPushButton::clicked, this, [this] { Q_EMIT exportRequested(fields()); });
  row->addWidget(button);
  return head;
}

ReportFields ReportView::fields() const {
  return {.level = level_->currentIndex() == 0 ? ReportFields::Level::kFull : ReportFields::Level::kSummary,
          .title = title_->text(),
          .author = author_->text(),
          .note = note_->text()};
}

void ReportView::setReport(const QString& title, const QList<ReportSection>& sections) {
  shown_title_ = title;
  sections_ = sections;
  setAnswer(tr("This is what the exported file holds."));
  draw();
  showContent();
}

void ReportView::draw() {
  auto* document = new QTextDocument(this);
  document->setDefaultFont(font());
  document->setDocumentMargin(20);
  Writer writer(*document, theme_of(palette()));
  writer.heading(shown_title_, 1.6);
  for (const ReportSection& section : sections_) {
    writer.heading(section.heading, 1.25);
    for (const QString& sentence : section.sentences) writer.sentence(sentence);
    for (const auto& chart : section.charts) writer.chart(chart);
    for (const auto& table : section.tables) writer.table(table);
  }
  paper_->setDocument(document);
  delete document_;  // the browser deletes only the one it was made with
  document_ = document;
}

QString ReportView::plainText() const {
  return paper_->toPlainText();
}

void ReportView::changeEvent(QEvent* event) {
  Page::changeEvent(event);
  // Pictures carry the colours of their theme.
  if (event->type() == QEvent::PaletteChange && hasContent()) draw();
}

}  // namespace dachlast::ui
