#include "app/gui/saving.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QFileDialog>
#include <QSaveFile>
#include <QWidget>

#include "reports/csv.h"
#include "reports/json.h"
#include "reports/svg.h"
#include "ui/paint/figure_painter.h"

namespace dachlast::gui {
namespace {

using ui::to_qt;

/// Gives the words of this file their context in translations.
struct SavingWords {
  Q_DECLARE_TR_FUNCTIONS(Saving)
};

QByteArray bytes_of(const std::string& text) {
  return {text.data(), static_cast<qsizetype>(text.size())};
}

QByteArray png_of(const figure::Figure& figure, ui::Theme theme, double scale) {
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  ui::image_of(figure, theme, scale).save(&buffer, "PNG");
  return bytes;
}

QString ask(QWidget* parent, const QString& title, const QString& name, const QString& filter) {
  return QFileDialog::getSaveFileName(parent, title, name, filter);
}

QString filter_of(const QString& kind) {
  return QStringLiteral("%1 (*.%2)").arg(kind.toUpper(), kind);
}

}  // namespace

QString write_file(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  const bool written = file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit();
  return written ? SavingWords::tr("Written to %1").arg(path)
                 : SavingWords::tr("%1 was not written: %2").arg(path, file.errorString());
}

QString save_figure(QWidget* parent, const figure::Figure& figure, const QString& kind, double scale) {
  const QString path = ask(parent, SavingWords::tr("Save Figure"), to_qt(figure.id) + u'.' + kind, filter_of(kind));
  if (path.isEmpty()) return {};
  return write_file(path, kind == QStringLiteral("png") ? png_of(figure, ui::theme_of(parent->palette()), scale)
                                                        : bytes_of(reports::svg_file(figure)));
}

QString save_table(QWidget* parent, const viewmodel::Table& table, const QString& kind) {
  const QString path = ask(parent, SavingWords::tr("Save Data"), to_qt(table.id) + u'.' + kind, filter_of(kind));
  if (path.isEmpty()) return {};
  return write_file(path,
                    bytes_of(kind == QStringLiteral("csv") ? reports::csv_table(table)
                                                           : reports::json_table("dachlast.table/1", "rows", table)));
}

QString save_text(QWidget* parent, const QString& title, const QString& name, const QString& filter,
                  const std::string& text) {
  const QString path = ask(parent, title, name, filter);
  return path.isEmpty() ? QString() : write_file(path, bytes_of(text));
}

}  // namespace dachlast::gui
