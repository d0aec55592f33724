#include "ui/views/report_view.h"

#include <QAbstractTextDocumentLayout>
#include <QApplication>
#include <QComboBox>
#include <QEvent>
#include <QFontInfo>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QPointer>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollBar>
#include <QTextBrowser>
#include <QTextDocument>
#include <QThreadPool>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <memory>

#include "ui/paint/theme.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr int kTypingMs = 250;
constexpr int kPaperMargin = 20;
constexpr int kLeastPaper = 240;
constexpr double kLeastTableScale = 0.7;  // smaller letters nobody reads

/// The look of the preview, from the colours of the charts.
QString style_of(Theme theme) {
  const auto name = [&](figure::Role role) { return colour(role, theme).name(); };
  return QStringLiteral(
             "h1 { font-size: x-large } h2 { font-size: large; margin-top: 18px } h3 { margin-top: 12px }"
             "dt { font-weight: 600; margin-top: 4px } .note, .ref { color: %1 }"
             "table.data th, table.data td { border-bottom: 1px solid %2 }"
             "th { font-weight: 600 } .lead { font-size: medium }")
      .arg(name(figure::Role::kMuted), name(figure::Role::kGrid));
}

/// Charts are drawn for a sheet; a narrower preview shows them smaller, as a browser does.
QString fitted(const QString& html, double width) {
  static const QRegularExpression size(QStringLiteral("width=\"(\\d+)\" height=\"(\\d+)\""));
  QString made;
  qsizetype from = 0;
  for (auto match = size.globalMatch(html); match.hasNext();) {
    const QRegularExpressionMatch one = match.next();
    const double scale = std::min(1.0, width / one.captured(1).toDouble());
    made += html.mid(from, one.capturedStart() - from) + QStringLiteral("width=\"%1\" height=\"%2\"")
                                                             .arg(qRound(scale * one.captured(1).toDouble()))
                                                             .arg(qRound(scale * one.captured(2).toDouble()));
    from = one.capturedEnd();
  }
  made += html.mid(from);
  // Commands are one line, as long as they are: here they wrap.
  return made.replace(QStringLiteral("<pre>"), QStringLiteral("<p>"))
      .replace(QStringLiteral("</pre>"), QStringLiteral("</p>"));
}

/// All that a document is laid out from.
struct Paper {
  ReportPreview preview;
  QFont font;
  QString style;
  int width = 0;  // of the page, its margins included
};

/// A document whose tables have letters smaller than the text by a factor.
std::unique_ptr<QTextDocument> laid_out(const Paper& paper, double table_scale) {
  auto document = std::make_unique<QTextDocument>();
  document->setDefaultFont(paper.font);
  document->setDocumentMargin(kPaperMargin);
  document->setDefaultStyleSheet(paper.style + QStringLiteral("table.data { font-size: %1pt }")
                                                   .arg(table_scale * QFontInfo(paper.font).pointSizeF(), 0, 'f', 1));
  const auto& pictures = paper.preview.pictures;
  for (auto picture = pictures.begin(); picture != pictures.end(); ++picture)
    document->addResource(QTextDocument::ImageResource, QUrl(picture.key()), picture.value());
  document->setHtml(fitted(paper.preview.html, std::max(paper.width - 2 * kPaperMargin, kLeastPaper)));
  document->setTextWidth(paper.width);
  return document;
}

/// Laying out a report of hundreds of points takes longer than a window may wait; the document then belongs to the window's
/// thread. Tables wider than the page are set in smaller letters: nobody reads sideways.
std::unique_ptr<QTextDocument> laid_out(const Paper& paper) {
  auto document = laid_out(paper, 1.0);
  const double wide = document->documentLayout()->documentSize().width();  // lays it out
  if (wide > paper.width) {
    document = laid_out(paper, std::max(kLeastTableScale, paper.width / wide));
    document->documentLayout()->documentSize();
  }
  document->moveToThread(qApp->thread());
  return document;
}

/// Letting go of thousands of cells takes tens of milliseconds: not on the window's thread.
void drop(QTextDocument* document) {
  if (document == nullptr) return;
  document->setParent(nullptr);
  document->moveToThread(nullptr);
  QThreadPool::globalInstance()->start([document] { delete document; });
}

}  // namespace

ReportView::ReportView(QWidget* parent)
    : Page(tr("Nothing to report yet. Open a run, or choose a model to plan."), tr("Open…"), parent),
      level_(new QComboBox),
      language_(new QComboBox),
      title_(new QLineEdit),
      author_(new QLineEdit),
      note_(new QLineEdit),
      clear_(new QPushButton),
      paper_(new QTextBrowser),
      delay_(new QTimer(this)),
      resize_(new QTimer(this)) {
  paper_->setAccessibleName(tr("Preview of the report"));
  paper_->setOpenLinks(false);
  paper_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOn);  // the width of the paper does not depend on what is on it
  body()->addWidget(makeHead());
  body()->addWidget(paper_, 1);
  delay_->setSingleShot(true);
  delay_->setInterval(kTypingMs);
  connect(delay_, &QTimer::timeout, this, &ReportView::changed);
  resize_->setSingleShot(true);
  resize_->setInterval(kTypingMs);
  connect(resize_, &QTimer::timeout, this, &ReportView::draw);
  for (QLineEdit* line : {title_, author_, note_})
    connect(line, &QLineEdit::textChanged, delay_, qOverload<>(&QTimer::start));
  for (QComboBox* box : {level_, language_}) connect(box, &QComboBox::currentIndexChanged, this, &ReportView::changed);
  setAdded(0);
}

QWidget* ReportView::makeHead() {
  auto* head = new QWidget;
  auto* row = new QHBoxLayout(head);
  row->setContentsMargins(0, 0, 0, 0);
  level_->addItems({tr("Full"), tr("Summary")});
  level_->setAccessibleName(tr("Level"));
  language_->addItems({QStringLiteral("English"), QStringLiteral("Deutsch")});
  // At first the reader's own; another one can be chosen for whoever gets the report.
  language_->setCurrentIndex(spoken_language() == viewmodel::Language::kGerman ? 1 : 0);
  language_->setAccessibleName(tr("Language of the report"));
  row->addWidget(level_);
  row->addWidget(language_);
  const auto add = [&](QLineEdit* line, const QString& name) {
    line->setPlaceholderText(name);
    line->setAccessibleName(name);
    row->addWidget(line, 1);
  };
  add(title_, tr("Title"));
  add(author_, tr("Author"));
  add(note_, tr("Note"));
  row->addWidget(clear_);
  connect(clear_, &QPushButton::clicked, this, &ReportView::clearAddedRequested);
  auto* button = new QPushButton(tr("&Export report…"));
  connect(button, &QPushButton::clicked, this, [this] { Q_EMIT exportRequested(fields()); });
  row->addWidget(button);
  return head;
}

ReportFields ReportView::fields() const {
  return {.level = level_->currentIndex() == 0 ? ReportFields::Level::kFull : ReportFields::Level::kSummary,
          .language = language_->currentIndex() == 0 ? viewmodel::Language::kEnglish : viewmodel::Language::kGerman,
          .title = title_->text(),
          .author = author_->text(),
          .note = note_->text()};
}

void ReportView::setFields(const ReportFields& fields) {
  level_->setCurrentIndex(fields.level == ReportFields::Level::kFull ? 0 : 1);
  language_->setCurrentIndex(fields.language == viewmodel::Language::kEnglish ? 0 : 1);
  title_->setText(fields.title);
  author_->setText(fields.author);
  note_->setText(fields.note);
}

void ReportView::setAdded(int n_charts) {
  clear_->setText(tr("Remove %n added chart(s)", nullptr, n_charts));
  clear_->setVisible(n_charts > 0);
}

void ReportView::setPreview(const ReportPreview& preview) {
  preview_ = preview;
  setAnswer(tr("This is what the exported file holds."));
  showContent();
  draw();
}

void ReportView::resizeEvent(QResizeEvent* event) {
  Page::resizeEvent(event);
  if (hasContent()) resize_->start();
}

void ReportView::draw() {
  if (preview_.html.isEmpty()) return;
  const Paper paper{preview_, font(), style_of(theme_of(palette())), paper_->viewport()->width()};
  drawers_.clear();
  drawers_.start([view = QPointer(this), drawing = ++drawing_, paper] {
    auto* document = laid_out(paper).release();
    QMetaObject::invokeMethod(
        qApp,
        [view, drawing, document] {
          if (view && view->drawing_ == drawing)
            view->take(document);
          else
            drop(document);
        },
        Qt::QueuedConnection);
  });
}

void ReportView::take(QTextDocument* document) {
  if (qRound(document->textWidth()) != paper_->viewport()->width()) {  // or the browser would lay all out again
    drop(document);
    return draw();
  }
  const int place = paper_->verticalScrollBar()->value();
  document->setParent(this);
  paper_->setDocument(document);
  drop(document_);  // the browser deletes only the one it was made with
  document_ = document;
  paper_->verticalScrollBar()->setValue(place);
}

QString ReportView::plainText() const {
  return paper_->toPlainText();
}

void ReportView::changeEvent(QEvent* event) {
  Page::changeEvent(event);
  // Pictures carry the colours of their theme.
  if (event->type() == QEvent::PaletteChange && hasContent()) delay_->start();
}

}  // namespace dachlast::ui
