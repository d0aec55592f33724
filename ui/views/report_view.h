#pragma once

#include <QHash>
#include <QImage>
#include <QStringList>
#include <QThreadPool>

#include "core/viewmodel/language.h"
#include "ui/widgets/page.h"

class QComboBox;
class QLineEdit;
class QPushButton;
class QTextBrowser;
class QTextDocument;
class QTimer;

namespace dachlast::ui {

/// What the reader may say about a report.
struct ReportFields {
  enum class Level : std::uint8_t { kSummary, kFull } level = Level::kFull;
  viewmodel::Language language = viewmodel::Language::kEnglish;
  QString title;  // empty: made from what is reported
  QString author;
  QString note;

  bool operator==(const ReportFields&) const = default;
};

/// A preview: rich text as the report's own writer makes it, and its charts as pictures by name ("figure:roofline-chart").
struct ReportPreview {
  QString html;
  QHash<QString, QImage> pictures;
};

/// A preview of the report: the sections, sentences, tables and charts of the exported file.
class ReportView : public Page {
  Q_OBJECT

 public:
  explicit ReportView(QWidget* parent = nullptr);

  ReportFields fields() const;
  void setFields(const ReportFields& fields);
  void setPreview(const ReportPreview& preview);
  /// How many charts the reader added.
  void setAdded(int n_charts);
  QString plainText() const;

 Q_SIGNALS:
  /// The fields or the colours changed: another preview is wanted.
  void changed();
  void exportRequested(const dachlast::ui::ReportFields& fields);
  /// The charts that were added are to go again.
  void clearAddedRequested();

 protected:
  void changeEvent(QEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* makeHead();
  void draw();
  void take(QTextDocument* document);

  QComboBox* level_;
  QComboBox* language_;
  QLineEdit* title_;
  QLineEdit* author_;
  QLineEdit* note_;
  QPushButton* clear_;
  QTextBrowser* paper_;
  QTextDocument* document_ = nullptr;
  QTimer* delay_;
  QTimer* resize_;  // until the window keeps its width
  ReportPreview preview_;
  int drawing_ = 0;      // counts what is asked for: the last one asked for is shown
  QThreadPool drawers_;  // waited for when the view goes: laying out pictures needs the application
};

}  // namespace dachlast::ui
