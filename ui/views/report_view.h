#pragma once

#include <QList>
#include <QStringList>
#include <vector>

#include "core/viewmodel/table.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QComboBox;
class QLineEdit;
class QTextBrowser;
class QTextDocument;
class QTimer;

namespace dachlast::ui {

/// One section of a report: sentences, charts, tables, in this order.
struct ReportSection {
  QString heading;
  QStringList sentences;
  struct Chart {
    FigureView::Source source;
    double height = 0.0;  // of a page-wide chart
  };
  std::vector<Chart> charts;
  std::vector<viewmodel::Table> tables;
};

/// What the reader may say about a report.
struct ReportFields {
  enum class Level : std::uint8_t { kSummary, kFull } level = Level::kFull;
  QString title;  // empty: made from the run
  QString author;
  QString note;

  bool operator==(const ReportFields&) const = default;
};

/// A preview of the report: the sections and figures that the exported file holds, drawn by the same view-models.
class ReportView : public Page {
  Q_OBJECT

 public:
  explicit ReportView(QWidget* parent = nullptr);

  ReportFields fields() const;
  void setReport(const QString& title, const QList<ReportSection>& sections);
  QString plainText() const;

 Q_SIGNALS:
  /// The fields changed: another preview is wanted.
  void changed(const dachlast::ui::ReportFields& fields);
  void exportRequested(const dachlast::ui::ReportFields& fields);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  QWidget* makeHead();
  void draw();

  QComboBox* level_;
  QLineEdit* title_;
  QLineEdit* author_;
  QLineEdit* note_;
  QTextBrowser* paper_;
  QTextDocument* document_ = nullptr;
  QTimer* delay_;
  QString shown_title_;
  QList<ReportSection> sections_;
};

}  // namespace dachlast::ui
